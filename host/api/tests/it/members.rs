//! Members of a tenant, and administrators of the host.

use quantum_api::auth::embedded::issue;
use quantum_core::vocabulary::Role;
use serde_json::json;

use crate::world::{A, World, send};

#[tokio::test]
async fn an_administrator_changes_members_and_it_holds_at_once() {
    let world = World::start().await;
    let admin = world.admin(A);
    let put = async |user: &str, body: serde_json::Value| {
        send(world.request("PUT", &format!("/api/v1/users/{user}")).bearer_auth(&admin).json(&body)).await
    };
    put("nils", json!({ "roles": ["viewer"] })).await.is(200);
    let token = world.token("nils", A, &[]);
    world.get(&token, "/api/v1/intents").await.is(200);
    put("nils", json!({ "roles": ["viewer"], "active": false })).await.is(200);
    assert_eq!(world.get(&token, "/api/v1/intents").await.problem(), (401, "principal-unknown".into()));
    let list = world.get(&admin, "/api/v1/users").await.is(200).json();
    let ids: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["admin-tenant-a", "nils"]);
    let unknown = put("nils", json!({ "roles": ["viever"] })).await;
    assert_eq!(unknown.problem(), (422, "unknown-role".into()));
    assert_eq!(unknown.json()["hint"], "did you mean \"viewer\"?");
}

#[tokio::test]
async fn nobody_becomes_an_administrator_of_the_host_through_a_tenant() {
    let world = World::start().await;
    let admin = world.admin(A);
    let request = world.request("PUT", "/api/v1/users/admin-tenant-a").bearer_auth(&admin);
    let refused = send(request.json(&json!({ "roles": ["admin", "platformAdmin"] }))).await;
    assert_eq!(refused.problem(), (422, "role-not-assignable".into()));
    world.add_member(A, "sly", &[Role::PlatformAdmin, Role::Admin], true).await;
    for token in [admin, world.token("sly", A, &[Role::PlatformAdmin])] {
        assert_eq!(
            world.get(&token, "/api/v1/tenants").await.problem(),
            (403, "platform-token-needed".into())
        );
    }
    let viewer = world.token("vera", A, &[Role::Viewer]);
    let request = world.request("PUT", "/api/v1/users/vera").bearer_auth(&viewer);
    assert_eq!(send(request.json(&json!({ "roles": ["admin"] }))).await.problem(), (403, "forbidden".into()));
}

#[tokio::test]
async fn an_administrator_of_the_host_makes_tenants_and_sees_into_none() {
    let world = World::start().await;
    let token = issue(&world.key, &world.issuer, &world.says("root", None, &[Role::PlatformAdmin])).unwrap();
    let created = world.post(&token, "/api/v1/tenants", &json!({ "id": "tenant-123" })).await.is(201).json();
    assert_eq!((&created["id"], &created["name"]), (&json!("tenant-123"), &json!("tenant-123")));
    let again = world.post(&token, "/api/v1/tenants", &json!({ "id": "tenant-123" })).await;
    assert_eq!(again.problem(), (409, "tenant-exists".into()));
    let bad = world.post(&token, "/api/v1/tenants", &json!({ "id": "Tenant 1" })).await;
    assert_eq!(bad.problem(), (422, "invalid-body".into()));
    assert_eq!(bad.json()["errors"][0]["pointer"], "/id");
    let list = world.get(&token, "/api/v1/tenants").await.is(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    assert_eq!(world.get(&token, "/api/v1/intents").await.problem(), (401, "principal-unknown".into()));
}
