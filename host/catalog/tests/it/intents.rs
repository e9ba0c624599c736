//! Creating, reading, searching and comparing intents.

use quantum_catalog::{Activation, Creation, DiffOp, IntentFilter, NewDocument, PageRequest};
use quantum_core::vocabulary::{Environment, IntentStatus, VersionStatus};
use serde_json::json;

use crate::support::{act, ann, at, fetching, reference, refused, told, uid, world};

#[tokio::test]
async fn a_new_intent_is_version_1_and_is_found_by_name_version_and_uid() {
    let world = world().await;
    let source = json!({
        "name": "release-check", "description": "Looks", "labels": { "team": "web" },
        "definition": { "target": "staging", "steps": [{ "action": "http-request", "url": "http://127.0.0.1:1/" }] },
    });
    let new = NewDocument { source: &source, uid: uid(7), activation: Activation::Now };
    let intents = world.catalog.intents(&world.scope);
    let Creation::Created { intent, findings } = intents.create(new, act()).await.unwrap() else {
        panic!("exists")
    };
    assert_eq!(told(&findings), [] as [&str; 0]);
    assert_eq!((intent.id.as_str(), &intent.definition), ("release-check-v1", &source["definition"]));
    let summary = &intent.summary;
    assert_eq!((summary.status, summary.version.status), (IntentStatus::Active, VersionStatus::Active));
    assert_eq!((summary.version.environment, summary.version.number), (Environment::Staging, 1));
    assert_eq!(
        (summary.version.description.as_str(), &summary.version.labels["team"]),
        ("Looks", &"web".to_owned())
    );
    assert_eq!((&summary.created_by, summary.created_at), (&ann(), at(1)));
    for name in ["release-check", "release-check-v1", &uid(7).to_string()] {
        assert_eq!(world.get(name).await, intent, "{name}");
    }
    let (code, text) = refused(intents.get(&reference("release-check-v2")).await);
    assert_eq!(code, "not-found");
    assert_eq!(
        text,
        "intent version \"release-check-v2\" does not exist; list what is there: quantum intent versions NAME"
    );
}

#[tokio::test]
async fn the_tutorials_documents_are_stored() {
    let world = world().await;
    let gateway = json!({ "name": "deploy-application",
        "definition": { "target": "production", "version": "1.2.3", "environment": "azure-westus" } });
    assert_eq!(world.created(&gateway).await.summary.version.environment, Environment::Production);
    let web = json!({ "name": "deploy-web-app", "definition": { "target": "production", "steps": [
        { "action": "build-docker-image", "image": "myapp:latest", "context": "./app" } ] } });
    let Creation::Created { findings, .. } = world.create(&web).await.unwrap() else { panic!("exists") };
    assert_eq!(told(&findings), ["Warning /definition/steps/0/action action-unknown"]);
}

#[tokio::test]
async fn the_identical_document_again_is_the_same_intent_and_another_one_is_refused() {
    let world = world().await;
    let first = world.created(&fetching("check", "http://127.0.0.1:1/")).await;
    let again = json!({ "definition": fetching("x", "http://127.0.0.1:1/")["definition"], "labels": {}, "name": "check" });
    assert_eq!(world.create(&again).await.unwrap(), Creation::Existing(first));
    let (code, text) = refused(world.create(&fetching("check", "http://127.0.0.1:2/")).await);
    assert_eq!(code, "name-taken");
    assert!(text.ends_with("change it with PUT /api/v1/intents/check, or choose another name"), "{text}");
    let labelled = json!({ "name": "check", "labels": { "a": "b" }, "definition": again["definition"] });
    assert_eq!(refused(world.create(&labelled).await).0, "name-taken", "labels are part of the document");
}

#[tokio::test]
async fn the_name_of_an_archived_intent_is_never_reused() {
    let world = world().await;
    let source = fetching("check", "http://127.0.0.1:1/");
    world.created(&source).await;
    world.catalog.intents(&world.scope).archive(&reference("check"), act()).await.unwrap();
    let (code, text) = refused(world.create(&source).await);
    assert_eq!(code, "name-taken");
    assert!(text.ends_with("names are never reused: choose another one"), "{text}");
}

#[tokio::test]
async fn a_bad_document_is_refused_with_every_finding_and_nothing_is_stored() {
    let world = world().await;
    let bad = json!({ "name": "check", "definition": { "steps": [
        { "action": "http-request", "url": "x", "depend_on": ["y"] },
        { "action": "http-request", "url": "${ steps.nowhere.output }" } ] } });
    let error = world.create(&bad).await.unwrap_err();
    let quantum_catalog::Error::Invalid { findings } = &error else { panic!("{error}") };
    assert_eq!(
        told(findings),
        ["Error /definition/steps/0/depend_on parameters", "Error /definition/steps/1/url step-unknown"]
    );
    let intents = world.catalog.intents(&world.scope);
    assert_eq!(refused(intents.get(&reference("check")).await).0, "not-found");
    let checked = intents.validate(&bad).await.unwrap();
    assert!(checked.document.is_none());
    assert_eq!(checked.findings, *findings);
}

#[tokio::test]
async fn a_search_finds_by_text_label_environment_and_status() {
    let world = world().await;
    let document = |name: &str, description: &str, team: &str, target: &str| json!({ "name": name, "description": description, "labels": { "team": team }, "definition": { "target": target } });
    world.created(&document("deploy-shop", "Ships the shop", "web", "production")).await;
    world.created(&document("deploy-docs", "Ships the handbook", "docs", "test")).await;
    world.created(&document("backup", "Copies the shop", "ops", "production")).await;
    let intents = world.catalog.intents(&world.scope);
    intents.pause(&reference("backup"), act()).await.unwrap();
    let any = IntentFilter::default;
    let cases = [
        (IntentFilter { q: Some("shop".into()), ..any() }, vec!["backup", "deploy-shop"]),
        (IntentFilter { name_prefix: Some("deploy".into()), ..any() }, vec!["deploy-docs", "deploy-shop"]),
        (IntentFilter { label: Some(("team".into(), "docs".into())), ..any() }, vec!["deploy-docs"]),
        (IntentFilter { environment: Some(Environment::Test), ..any() }, vec!["deploy-docs"]),
        (IntentFilter { status: Some(IntentStatus::Paused), ..any() }, vec!["backup"]),
    ];
    for (filter, wanted) in cases {
        let page = intents.list(&filter, PageRequest::first(10)).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, wanted, "{filter:?}");
    }
    let first = intents.list(&any(), PageRequest::first(2)).await.unwrap();
    let rest = intents.list(&any(), PageRequest { limit: 2, after: first.next.clone() }).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
}

#[tokio::test]
async fn a_diff_tells_each_place_from_the_documents_top() {
    let world = world().await;
    world.created(&fetching("check", "http://127.0.0.1:1/")).await;
    let mut changed = fetching("check", "http://127.0.0.1:2/");
    changed["description"] = json!("now described");
    changed["definition"]["target"] = json!("test");
    world.put("check", &changed).await;
    let intents = world.catalog.intents(&world.scope);
    let found = intents.diff(&reference("check"), 1, 2).await.unwrap();
    let told: Vec<_> = found.iter().map(|d| (d.op, d.pointer.as_str())).collect();
    assert_eq!(
        told,
        [
            (DiffOp::Replace, "/description"),
            (DiffOp::Replace, "/definition/steps/0/url"),
            (DiffOp::Add, "/definition/target"),
        ]
    );
    assert_eq!(found[1].from, Some(json!("http://127.0.0.1:1/")));
    assert_eq!(intents.diff(&reference("check"), 2, 2).await.unwrap(), []);
    assert_eq!(refused(intents.diff(&reference("check"), 1, 9).await).0, "not-found");
}
