//! Starts without a request: what is found for somebody who is not there, and what stands in the way.

use quantum_api::StoredIntents;
use quantum_core::id::PrincipalId;
use quantum_core::port::{PrincipalKind, Requester};
use quantum_core::problem::Problem;
use quantum_core::vocabulary::Role;
use quantum_engine::{IntentSource, Runnable, SourceRequest};
use quantum_policy::{Authorizer, PolicySet, PolicySources};
use quantum_store::TenantScope;
use serde_json::json;

use crate::world::{A, World, tenant};

async fn ask(world: &World, intent: &str, user: &str) -> Result<Runnable, Problem> {
    let authorizer = Authorizer::new(PolicySet::compile(&PolicySources::shipped()).unwrap());
    let request = SourceRequest {
        scope: TenantScope::for_tests(tenant(A)),
        intent: intent.to_owned(),
        requested_by: Requester { id: PrincipalId::new(user).unwrap(), kind: PrincipalKind::User },
        now: world.clock_now(),
    };
    StoredIntents::new(world.catalog.clone(), authorizer).runnable(request).await
}

#[tokio::test]
async fn an_operator_who_is_not_there_may_start_what_runs() {
    let world = World::start().await;
    world.add_member(A, "olga", &[Role::Operator], true).await;
    let id = world.intent(&world.admin(A), "nightly", json!([{ "action": "echo" }])).await;
    let uid = world.get(&world.admin(A), "/api/v1/intents/nightly").await.json()["uid"].clone();
    for reference in ["nightly", &id, uid.as_str().unwrap()] {
        let found = ask(&world, reference, "olga").await.unwrap();
        assert_eq!(found.plan.document.intent.name.as_str(), "nightly");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_has_a_code_and_says_what_to_do() {
    let world = World::start().await;
    let token = world.admin(A);
    let steps = json!([{ "action": "echo" }]);
    for (user, roles, active) in [
        ("olga", vec![Role::Operator], true),
        ("vera", vec![Role::Viewer], true),
        ("gone", vec![Role::Admin], false),
    ] {
        world.add_member(A, user, &roles, active).await;
    }
    world.add_member(A, "nobody", &[], true).await;
    for name in ["good", "paused", "archived"] {
        world.intent(&token, name, steps.clone()).await;
    }
    world.intent(&token, "empty", json!([])).await;
    let unknown = json!({ "name": "draft", "definition": { "steps": steps } });
    world.post(&token, "/api/v1/intents?draft=true", &unknown).await.is(201);
    for (name, to) in [("paused", "pause"), ("archived", "archive")] {
        world.post(&token, &format!("/api/v1/intents/{name}/{to}"), &json!({})).await.is(200);
    }
    let cases = [
        ("absent", "olga", "not-found"),
        ("Not a name", "olga", "not-found"),
        ("paused", "olga", "intent-paused"),
        ("archived", "olga", "intent-archived"),
        ("empty", "olga", "no-steps"),
        ("draft", "olga", "no-active-version"),
        ("good", "vera", "forbidden"),
        ("good", "nobody", "not-found"),
        ("paused", "nobody", "not-found"),
        ("good", "gone", "principal-unknown"),
        ("good", "stranger", "principal-unknown"),
    ];
    for (intent, user, code) in cases {
        let problem = ask(&world, intent, user).await.unwrap_err();
        assert_eq!(
            (problem.code.as_str(), problem.retryable),
            (code, false),
            "{intent} for {user}: {problem}"
        );
        assert!(problem.details.unwrap()["hint"].is_string());
    }
    let refused = ask(&world, "good", "vera").await.unwrap_err();
    assert_eq!(refused.message, "no policy allows intent.execute for viewer");
    assert!(refused.details.unwrap()["decision_id"].is_string());
}
