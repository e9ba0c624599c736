//! Two tenants: whatever takes an id answers the other tenant's id exactly as an id that does not exist.

use quantum_catalog::{Consent, Install};
use quantum_core::id::PrincipalId;
use quantum_core::vocabulary::Role;
use quantum_store::{Blobs, TenantScope};
use serde_json::{Value, json};

use crate::world::{A, Answer, B, World, manifest, send, tenant};

/// Makes the named thing in the caller's own tenant, so that it is nobody else's.
const OWN: &[(&str, &str)] =
    &[("put", "/api/v1/users/{id}"), ("put", "/api/v1/secrets/{id}"), ("put", "/api/v1/blueprints/{id}")];

/// Ids of tenant B by the path that takes them, each with one that does not exist.
async fn ids(world: &World, path: &str) -> Vec<(String, String)> {
    let absent = "0198c0de-0000-7000-8000-00000000dead".to_owned();
    let token = world.admin(B);
    if path.contains("/intents/") {
        let intent = world.get(&token, "/api/v1/intents/secret-plan").await.is(200).json();
        let uid = intent["uid"].as_str().unwrap().to_owned();
        let named = [("secret-plan", "absent-plan"), ("secret-plan-v1", "absent-plan-v1")];
        let named = named.map(|(there, not)| (there.to_owned(), not.to_owned()));
        return named.into_iter().chain([(uid, absent)]).collect();
    }
    if path.contains("/executions/") {
        let list = world.get(&token, "/api/v1/executions").await.is(200).json();
        return vec![(list["items"][0]["execution_id"].as_str().unwrap().to_owned(), absent)];
    }
    if path.contains("/installations/") {
        return vec![("b-only:plugin".to_owned(), "no:plugin".to_owned())];
    }
    if path.contains("/artifacts/") {
        return vec![("b-artifact".to_owned(), "no-artifact".to_owned())];
    }
    if path.contains("/schedules/") {
        return vec![("b-schedule".to_owned(), "no-schedule".to_owned())];
    }
    if path.contains("/blueprints/") {
        return vec![("b-blueprint".to_owned(), "no-blueprint".to_owned())];
    }
    if path.contains("/secrets/") {
        return vec![("B_ONLY".to_owned(), "NOBODYS".to_owned())];
    }
    vec![("admin-tenant-b".to_owned(), "nobody".to_owned())]
}

async fn call(world: &World, token: &str, method: &str, path: &str) -> Answer {
    let request = world.request(&method.to_uppercase(), path).bearer_auth(token).header("If-Match", "*");
    let body = json!({ "to": 1, "name": "secret-plan", "definition": {} });
    send(if method == "get" { request } else { request.json(&body) }).await
}

async fn furnish(world: &World) {
    let token = world.admin(B);
    let id = world.intent(&token, "secret-plan", json!([{ "action": "echo", "say": "marker" }])).await;
    world.execute(&token, &id).await;
    let artifact = world.request("POST", "/api/v1/artifacts?name=b-artifact").bearer_auth(&token);
    send(artifact.body("marker")).await.is(201);
    let secret = json!({ "value": "marker", "environments": ["test"], "hosts": ["https://b-only.example"] });
    send(world.request("PUT", "/api/v1/secrets/B_ONLY").bearer_auth(&token).json(&secret)).await.is(200);
    let schedule = json!({ "name": "b-schedule", "intent": "secret-plan", "cron": "@daily", "input": { "say": "marker" } });
    world.post(&token, "/api/v1/schedules", &schedule).await.is(201);
    let blueprint = json!({ "steps": [{ "action": "echo", "say": "marker" }] });
    let put = world.request("PUT", "/api/v1/blueprints/b-blueprint").bearer_auth(&token);
    send(put.json(&blueprint)).await.is(201);
    let scope = TenantScope::authenticated(tenant(B));
    let install = Install {
        manifest: manifest("b-only:plugin", &["only-b"]),
        component: Blobs::digest(b"only b"),
        consent: Consent::default(),
        installed_by: PrincipalId::new("admin-tenant-b").unwrap(),
    };
    world.catalog.installations(&scope).install(install, world.clock_now()).await.unwrap();
}

#[tokio::test]
async fn every_operation_answers_the_other_tenants_id_like_one_that_does_not_exist() {
    let world = World::start().await;
    furnish(&world).await;
    let token = world.admin(A);
    let document: Value = serde_json::to_value(quantum_api::document()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.contains("{id}") {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            if OWN.contains(&(method.as_str(), path.as_str())) {
                continue;
            }
            for (there, absent) in ids(&world, path).await {
                let fill = |id: &str| path.replace("{id}", id).replace("{number}", "1");
                let foreign = call(&world, &token, method, &fill(&there)).await;
                let nothing = call(&world, &token, method, &fill(&absent)).await;
                assert_eq!(foreign.problem(), (404, "not-found".into()), "{method} {path} {there}");
                assert_eq!(foreign.normal(), nothing.normal(), "{method} {path}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 40, "only {asked} questions were asked");
}

#[tokio::test]
async fn lists_hold_nothing_of_the_other_tenant() {
    let world = World::start().await;
    furnish(&world).await;
    let token = world.admin(A);
    for path in [
        "intents",
        "blueprints",
        "executions",
        "installations",
        "plugins",
        "users",
        "artifacts",
        "secrets",
        "schedules",
        "usage",
        "usage?group=action",
    ] {
        let list = world.get(&token, &format!("/api/v1/{path}")).await.is(200);
        let foreign = [
            "tenant-b",
            "secret-plan",
            "b-only",
            "b-artifact",
            "b-schedule",
            "b-blueprint",
            "B_ONLY",
            "marker",
        ];
        assert!(!foreign.iter().any(|word| list.text.contains(word)), "{path}: {}", list.text);
    }
}

#[tokio::test]
async fn naming_another_tenant_is_like_naming_one_that_does_not_exist() {
    let world = World::start().await;
    let token = world.admin(A);
    let named = async |tenant: &str| {
        let request = world.request("GET", "/api/v1/intents").bearer_auth(&token);
        send(request.header("X-Tenant-ID", tenant)).await.is(404).normal()
    };
    let foreign = named(B).await;
    for other in ["no-such-tenant", "NOT A TENANT", ""] {
        assert_eq!(foreign, named(other).await, "{other}");
    }
    assert_eq!(foreign, world.get(&token, "/api/v1/intents/absent").await.is(404).normal());
}

#[tokio::test]
async fn a_caller_of_several_tenants_says_which_one() {
    let world = World::start().await;
    for tenant in [A, B] {
        world.add_member(tenant, "zoe", &[Role::Viewer], true).await;
    }
    let exp = world.clock_now().as_millis() / 1_000 + 60;
    let token = crate::tokens::tutorial(&json!({ "user_id": "zoe", "exp": exp }));
    assert_eq!(world.get(&token, "/api/v1/intents").await.problem(), (400, "tenant-required".into()));
    let request = world.request("GET", "/api/v1/intents").bearer_auth(&token).header("X-Tenant-ID", B);
    send(request).await.is(200);
}
