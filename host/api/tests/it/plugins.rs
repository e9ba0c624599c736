//! Plugins and uploads. What a component does is tested in the sandbox's room; here it is who may bring one.

use quantum_core::vocabulary::Role;
use serde_json::json;

use crate::world::{A, Answer, World, send};

async fn upload(world: &World, token: &str, query: &str, bytes: Vec<u8>) -> Answer {
    let request = world.request("POST", &format!("/api/v1/installations{query}")).bearer_auth(token);
    send(request.header("Content-Type", "application/wasm").body(bytes)).await
}

#[tokio::test]
async fn the_actions_that_steps_can_use_are_listed_with_their_schemas() {
    let world = World::start().await;
    let token = world.admin(A);
    let list = world.get(&token, "/api/v1/plugins").await.is(200).json();
    assert_eq!(list["items"][0]["id"], "test:echo");
    assert_eq!(
        list["items"][0]["actions"][0]["parameters"]["properties"]["say"],
        json!({ "type": "string" })
    );
    let installed = world.get(&token, "/api/v1/installations/test:echo").await.is(200).json();
    assert_eq!((&installed["bundled"], &installed["trust"]), (&json!(true), &json!("builtin")));
    let request = world.request("DELETE", "/api/v1/installations/test:echo").bearer_auth(&token);
    assert_eq!(send(request).await.problem(), (409, "plugin-bundled".into()));
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_before_anything_is_kept() {
    let world = World::start().await;
    let token = world.admin(A);
    let answer = upload(&world, &token, "", b"not wasm at all".to_vec()).await;
    assert_eq!(answer.problem(), (422, "invalid-plugin".into()));
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let answer = upload(&world, &token, "", core_module.clone()).await;
    assert!(answer.json()["detail"].as_str().unwrap().contains("wasm32-wasip2"), "{}", answer.text);
    let answer = upload(&world, &token, "?allow_host=example.com", core_module.clone()).await;
    assert_eq!(answer.problem(), (422, "invalid-consent".into()));
    let answer = upload(&world, &token, "?config=%7B", core_module).await;
    assert_eq!(answer.problem(), (422, "invalid-consent".into()));
    let request = world.request("POST", "/api/v1/installations").bearer_auth(&token).json(&json!({}));
    assert_eq!(send(request).await.problem(), (415, "media-type".into()));
}

#[tokio::test]
async fn only_an_administrator_installs() {
    let world = World::start().await;
    let author = world.token("ada", A, &[Role::Author, Role::Operator, Role::Publisher]);
    let answer = upload(&world, &author, "", component()).await;
    assert_eq!(answer.problem(), (403, "forbidden".into()));
    let answer = upload(&world, &world.admin(A), "", component()).await;
    assert_eq!(answer.problem(), (422, "invalid-plugin".into()), "{}", answer.text);
    assert_eq!(answer.json()["errors"][0]["code"], "plugin-entry");
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused() {
    let world = World::with_limits(|limits| limits.component_bytes_max = 1_000).await;
    let answer = upload(&world, &world.admin(A), "", vec![0; 1_001]).await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
}

/// An empty component with a manifest: readable, and without the entry point of a plugin.
fn component() -> Vec<u8> {
    let manifest = crate::world::manifest("test:empty", &["nothing"]);
    quantum_marketplace::append_manifest(b"\0asm\x0d\0\x01\0", &manifest).unwrap()
}
