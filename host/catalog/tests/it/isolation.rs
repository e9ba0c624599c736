//! Two tenants with the same names never see each other.

use quantum_catalog::{Activation, IntentFilter, NewDocument, PageRequest, Purpose};
use quantum_core::port::{ActionDirectory, Resolution};
use quantum_core::vocabulary::IntentStatus;
use serde_json::json;

use crate::support::{act, action, digest, fetching, next_uid, plugin, reference, refused, world};

const OURS: &str = "http://127.0.0.1:1/ours";
const THEIRS: &str = "http://127.0.0.1:1/theirs";

#[tokio::test]
async fn the_same_name_is_another_intent_in_another_tenant() {
    let world = world().await;
    let ours = world.created(&fetching("check", OURS)).await;
    let theirs = world.catalog.intents(&world.other);
    let source = fetching("check", THEIRS);
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Now };
    theirs.create(new, act()).await.unwrap();

    let read = theirs.get(&reference("check")).await.unwrap();
    assert_eq!(read.definition, source["definition"]);
    assert_eq!(refused(theirs.get(&reference(&ours.summary.uid.to_string())).await).0, "not-found");
    let by_uid =
        theirs.replace(&reference(&ours.summary.uid.to_string()), &source, Activation::Now, act()).await;
    assert_eq!(refused(by_uid).0, "not-found");
    let page = theirs.list(&IntentFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.uid).collect::<Vec<_>>(), [read.summary.uid]);

    theirs.archive(&reference("check"), act()).await.unwrap();
    assert_eq!(world.get("check").await, ours);
    assert_eq!(ours.summary.status, IntentStatus::Active);
    let plan = world.catalog.intents(&world.scope).plan(&reference("check"), Purpose::Execute).await.unwrap();
    assert!(plan.encoded.json().contains(OURS) && !plan.encoded.json().contains(THEIRS));
}

#[tokio::test]
async fn a_plugin_of_one_tenant_is_unknown_to_the_other() {
    let world = world().await;
    let manifest = plugin(json!({ "id": "acme:hello", "actions": [action("greet", &["hi"], "name")] }));
    world.install(manifest, digest(2), &[]).await;
    let directory = world.catalog.directory();
    let other = world.other.tenant();
    for name in ["greet", "hi", "acme:hello/greet"] {
        assert!(matches!(directory.resolve(world.scope.tenant(), name), Resolution::Found(_)), "{name}");
        assert!(matches!(directory.resolve(other, name), Resolution::Unknown), "{name}");
    }
    assert!(directory.pinned(other, &digest(2), "greet").is_none());
    assert!(!directory.names(other).contains(&"greet".to_owned()));
    let theirs = world.catalog.installations(&world.other);
    assert_eq!(refused(theirs.get("acme:hello").await).0, "not-found");
    assert_eq!(refused(theirs.uninstall("acme:hello").await).0, "not-found");
    assert_eq!(world.catalog.installations(&world.scope).list().await.unwrap().len(), 2);
}
