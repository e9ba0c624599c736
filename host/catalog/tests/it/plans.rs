//! Plans of stored versions, and when they are built anew.

use std::sync::Arc;

use quantum_catalog::{Activation, Catalog, Error, NewDocument, Purpose, RunnablePlan};
use quantum_core::intent::IntentRef;
use quantum_store::TenantScope;
use serde_json::json;

use crate::support::{
    World, act, action, digest, fetching, http_plugin, next_uid, plugin, reference, refused, told, world,
};

const URL: &str = "http://127.0.0.1:1/";

async fn plan_in(catalog: &Catalog, scope: &TenantScope, name: &str) -> Result<RunnablePlan, Error> {
    let reference: IntentRef = reference(name);
    catalog.intents(scope).plan(&reference, Purpose::Execute).await
}

impl World {
    async fn plan(&self, name: &str) -> Result<RunnablePlan, Error> {
        plan_in(&self.catalog, &self.scope, name).await
    }
}

#[tokio::test]
async fn a_plan_is_built_once_and_pins_the_component() {
    let world = world().await;
    let intent = world.created(&fetching("check", URL)).await;
    let first = world.plan("check").await.unwrap();
    assert_eq!(first.intent, intent.summary);
    assert_eq!(first.plan.document.steps[0].action.component().unwrap().component, digest(1));
    assert!(first.encoded.json().contains("http-request"));
    for name in ["check", "check-v1", &intent.summary.uid.to_string()] {
        let again = world.plan(name).await.unwrap();
        assert!(Arc::ptr_eq(&first.plan, &again.plan), "{name}");
    }
    world.put("check", &fetching("check", "http://127.0.0.1:2/")).await;
    assert_eq!(world.plan("check").await.unwrap().plan.document.intent.version, 2);
    assert!(Arc::ptr_eq(&first.plan, &world.plan("check-v1").await.unwrap().plan));
}

#[tokio::test]
async fn a_change_of_the_tenants_plugins_makes_a_new_plan_and_leaves_other_tenants_theirs() {
    let world = world().await;
    world.created(&fetching("check", URL)).await;
    let source = fetching("check", URL);
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Now };
    world.catalog.intents(&world.other).create(new, act()).await.unwrap();
    let theirs = plan_in(&world.catalog, &world.other, "check").await.unwrap();
    let before = world.plan("check").await.unwrap();
    world.install(http_plugin("2.0.0"), digest(2), &["https://a.example"]).await;
    let after = world.plan("check").await.unwrap();
    assert!(!Arc::ptr_eq(&before.plan, &after.plan));
    assert_eq!(after.plan.document.steps[0].action.component().unwrap().component, digest(2));
    assert_eq!(after.plan.document.steps[0].action.component().unwrap().version, "2.0.0");
    world.catalog.installations(&world.scope).uninstall("quantum:http").await.unwrap();
    assert_eq!(
        world.plan("check").await.unwrap().plan.document.steps[0].action.component().unwrap().component,
        digest(1)
    );
    assert!(Arc::ptr_eq(&theirs.plan, &plan_in(&world.catalog, &world.other, "check").await.unwrap().plan));
}

#[tokio::test]
async fn an_intent_without_steps_says_what_would_help() {
    let world = world().await;
    world.created(&json!({ "name": "deploy", "definition": { "target": "production" } })).await;
    let (code, text) = refused(world.plan("deploy").await);
    assert_eq!(code, "no-steps");
    assert!(text.contains("add \"steps\" to its definition with PUT /api/v1/intents/deploy"), "{text}");
    assert!(text.contains("a blueprint named \"deploy\""), "{text}");
}

#[tokio::test]
async fn an_unknown_action_is_an_error_of_the_plan_until_it_is_installed() {
    let world = world().await;
    world
        .created(
            &json!({ "name": "greet", "definition": { "steps": [{ "action": "greet", "name": "Ann" }] } }),
        )
        .await;
    let error = world.plan("greet").await.unwrap_err();
    let Error::Invalid { findings } = &error else { panic!("{error}") };
    assert_eq!(told(findings), ["Error /definition/steps/0/action action-unknown"]);
    world
        .install(
            plugin(json!({ "id": "acme:hello", "actions": [action("greet", &[], "name")] })),
            digest(3),
            &[],
        )
        .await;
    assert_eq!(
        world.plan("greet").await.unwrap().plan.document.steps[0].action.component().unwrap().plugin,
        "acme:hello"
    );
}

#[tokio::test]
async fn paused_archived_and_draft_intents_are_planned_to_look_at_but_not_to_execute() {
    let world = world().await;
    world.created(&fetching("check", URL)).await;
    let intents = world.catalog.intents(&world.scope);
    world.plan("check").await.unwrap();
    intents.pause(&reference("check"), act()).await.unwrap();
    let (code, text) = refused(world.plan("check").await);
    assert_eq!(code, "intent-paused");
    assert!(text.ends_with("resume it with POST /api/v1/intents/check/resume"), "{text}");
    intents.plan(&reference("check"), Purpose::Preview).await.unwrap();
    intents.archive(&reference("check"), act()).await.unwrap();
    assert_eq!(refused(world.plan("check").await).0, "intent-archived");

    let source = fetching("later", URL);
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Draft };
    intents.create(new, act()).await.unwrap();
    let (code, text) = refused(world.plan("later").await);
    assert_eq!(code, "no-active-version");
    assert!(text.ends_with("POST /api/v1/intents/later/versions/1/activate"), "{text}");
    world.plan("later-v1").await.unwrap();
}
