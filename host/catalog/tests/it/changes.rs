//! New versions, states, and what stands in the way of them.

use quantum_catalog::{Activation, Error, IdempotencyKey, IdempotencyRecord, NewDocument, PageRequest};
use quantum_core::vocabulary::{Environment, IntentStatus, VersionStatus};
use serde_json::{Value, json};

use crate::support::{act, ann, at, fetching, if_match, next_uid, reference, refused, world};

const ONE: &str = "http://127.0.0.1:1/";
const TWO: &str = "http://127.0.0.1:2/";

#[tokio::test]
async fn a_put_makes_a_new_version_and_an_unchanged_one_does_not() {
    let world = world().await;
    let first = world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let check = &reference("check");
    let same = intents.replace(check, &fetching("check", ONE), Activation::Now, act()).await.unwrap();
    assert_eq!((same.changed, &same.intent), (false, &first));
    let second = intents.replace(check, &fetching("check", TWO), Activation::Now, act()).await.unwrap();
    assert_eq!((second.changed, second.intent.id.as_str()), (true, "check-v2"));
    assert_eq!(second.intent.summary.uid, first.summary.uid);
    assert!(second.intent.summary.revision > first.summary.revision);
    let page = intents.versions(&reference("check"), PageRequest::first(10)).await.unwrap();
    let versions: Vec<_> = page.items.iter().map(|v| (v.version.number, v.version.status)).collect();
    assert_eq!(versions, [(2, VersionStatus::Active), (1, VersionStatus::Superseded)]);
}

#[tokio::test]
async fn an_intent_keeps_its_name() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let renamed = intents.replace(&reference("check"), &fetching("look", ONE), Activation::Now, act()).await;
    let (code, text) = refused(renamed);
    assert_eq!(code, "name-differs");
    assert!(text.contains("write \"check\", or create another intent"), "{text}");
    let patched =
        intents.merge_patch(&reference("check"), &json!({"name": "look"}), Activation::Now, act()).await;
    assert_eq!(refused(patched).0, "name-differs");
}

#[tokio::test]
async fn a_patch_merges_and_null_removes() {
    let world = world().await;
    let mut source = fetching("check", ONE);
    source["description"] = json!("old");
    source["labels"] = json!({ "team": "web", "tier": "1" });
    world.created(&source).await;
    let intents = world.catalog.intents(&world.scope);
    let patch = json!({ "description": null, "labels": { "tier": null, "area": "eu" }, "definition": { "target": "test" } });
    let written = intents.merge_patch(&reference("check"), &patch, Activation::Now, act()).await.unwrap();
    let version = &written.intent.summary.version;
    assert_eq!(
        (version.number, version.description.as_str(), version.environment),
        (2, "", Environment::Test)
    );
    assert_eq!(json!(version.labels), json!({ "team": "web", "area": "eu" }));
    assert_eq!(written.intent.definition["steps"], source["definition"]["steps"]);
    let nothing = intents.merge_patch(&reference("check"), &json!({}), Activation::Now, act()).await.unwrap();
    assert_eq!((nothing.changed, nothing.intent.id.as_str()), (false, "check-v2"));
    for bad in [
        json!({ "definition": null }),
        json!({ "lables": {} }),
        json!([1]),
        json!({ "definition": { "steps": 3 } }),
    ] {
        let refusal = refused(intents.merge_patch(&reference("check"), &bad, Activation::Now, act()).await);
        assert_eq!(refusal.0, "invalid-document", "{bad}");
    }
}

#[tokio::test]
async fn a_document_does_not_grow_past_its_bound_by_patches() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let half = |key: &str| json!({ "definition": { key: "x".repeat(140 * 1024) } });
    intents.merge_patch(&reference("check"), &half("a"), Activation::Now, act()).await.unwrap();
    let refusal = refused(intents.merge_patch(&reference("check"), &half("b"), Activation::Now, act()).await);
    assert_eq!(refusal.0, "document-too-large");
    assert_eq!(world.get("check").await.id, "check-v2");
}

#[tokio::test]
async fn a_rollback_is_a_new_version_with_the_older_document() {
    let world = world().await;
    let first = world.created(&fetching("check", ONE)).await;
    world.put("check", &fetching("check", TWO)).await;
    let intents = world.catalog.intents(&world.scope);
    let back = intents.rollback(&reference("check"), 1, act()).await.unwrap();
    assert_eq!((back.changed, back.intent.id.as_str()), (true, "check-v3"));
    assert_eq!(back.intent.definition, first.definition);
    assert_eq!(world.get("check").await, back.intent);
    let again = intents.rollback(&reference("check"), 1, act()).await.unwrap();
    assert_eq!((again.changed, again.intent.id.as_str()), (false, "check-v3"));
    assert_eq!(refused(intents.rollback(&reference("check"), 8, act()).await).0, "not-found");
}

#[tokio::test]
async fn a_draft_is_not_active_until_it_is_activated() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let two = fetching("check", TWO);
    let made = intents.replace(&reference("check"), &two, Activation::Draft, act()).await.unwrap();
    assert_eq!(
        (made.intent.id.as_str(), made.intent.summary.version.status),
        ("check-v2", VersionStatus::Draft)
    );
    let same = intents.replace(&reference("check"), &two, Activation::Draft, act()).await.unwrap();
    assert_eq!((same.changed, same.intent.id.as_str()), (false, "check-v2"));
    assert_eq!(world.get("check").await.id, "check-v1");
    let active = intents.activate(&reference("check"), 2, act()).await.unwrap();
    assert_eq!((active.id.as_str(), active.summary.active_version), ("check-v2", Some(2)));
    let revision = active.summary.revision;
    let kept = intents.activate(&reference("check"), 2, act()).await.unwrap();
    assert_eq!(kept.summary.revision, revision, "nothing was changed");
    assert_eq!(refused(intents.activate(&reference("check"), 3, act()).await).0, "not-found");
}

#[tokio::test]
async fn a_put_of_what_is_only_a_draft_becomes_active() {
    let world = world().await;
    let source = fetching("check", ONE);
    let intents = world.catalog.intents(&world.scope);
    let new = NewDocument { source: &source, uid: next_uid(), activation: Activation::Draft };
    intents.create(new, act()).await.unwrap();
    assert_eq!(world.get("check").await.summary.active_version, None);
    let put = world.put("check", &source).await;
    assert_eq!(put.summary.active_version, Some(2));
}

#[tokio::test]
async fn a_change_based_on_an_earlier_revision_is_refused() {
    let world = world().await;
    let first = world.created(&fetching("check", ONE)).await.summary.revision;
    let now = world.put("check", &fetching("check", TWO)).await.summary.revision;
    let intents = world.catalog.intents(&world.scope);
    let check = &reference("check");
    let refusals = [
        refused(intents.replace(check, &fetching("check", ONE), Activation::Now, if_match(first)).await),
        refused(intents.replace(check, &fetching("check", TWO), Activation::Now, if_match(first)).await),
        refused(intents.merge_patch(check, &json!({}), Activation::Now, if_match(first)).await),
        refused(intents.rollback(check, 1, if_match(first)).await),
        refused(intents.activate(check, 1, if_match(first)).await),
        refused(intents.pause(check, if_match(first)).await),
        refused(intents.archive(check, if_match(first)).await),
    ];
    for (code, text) in refusals {
        assert_eq!(code, "revision-conflict");
        assert!(text.starts_with(&format!("it is at revision {now} by now")), "{text}");
    }
    let kept = intents.replace(check, &fetching("check", ONE), Activation::Now, if_match(now)).await.unwrap();
    assert_eq!(kept.intent.id, "check-v3");
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept_when_none_asks_for_a_revision() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let check = reference("check");
    let patches: Vec<Value> = (0..3).map(|n| json!({ "labels": { format!("k{n}"): "v" } })).collect();
    let [a, b, c] = &patches[..] else { panic!("three") };
    let patch = |patch| intents.merge_patch(&check, patch, Activation::Now, act());
    let done = tokio::join!(patch(a), patch(b), patch(c));
    for one in [done.0, done.1, done.2] {
        one.unwrap();
    }
    let labels = world.get("check").await.summary.version.labels;
    assert_eq!(labels.len(), 3, "{labels:?}");
}

#[tokio::test]
async fn an_archived_intent_is_read_only_and_a_paused_one_is_not() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let check = &reference("check");
    assert_eq!(intents.pause(check, act()).await.unwrap().summary.status, IntentStatus::Paused);
    assert_eq!(world.put("check", &fetching("check", TWO)).await.id, "check-v2");
    assert_eq!(intents.resume(check, act()).await.unwrap().summary.status, IntentStatus::Active);
    let archived = intents.archive(check, act()).await.unwrap();
    assert_eq!(archived.summary.status, IntentStatus::Archived);
    assert_eq!(intents.archive(check, act()).await.unwrap(), archived);
    for refusal in [
        refused(intents.replace(check, &fetching("check", ONE), Activation::Now, act()).await),
        refused(intents.rollback(check, 1, act()).await),
        refused(intents.activate(check, 1, act()).await),
        refused(intents.pause(check, act()).await),
        refused(intents.resume(check, act()).await),
    ] {
        assert_eq!(refusal.0, "intent-archived");
    }
    assert_eq!(world.get("check").await, archived, "it can still be read");
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_change() {
    let world = world().await;
    world.created(&fetching("check", ONE)).await;
    let intents = world.catalog.intents(&world.scope);
    let record = IdempotencyRecord {
        key: IdempotencyKey { principal: ann(), route: "replace_intent".into(), key: "k".into() },
        fingerprint: "f".into(),
        response: "{}".into(),
        at: at(1),
    };
    let keyed = || quantum_catalog::Act { idempotency: Some(record.clone()), ..act() };
    intents.replace(&reference("check"), &fetching("check", TWO), Activation::Now, keyed()).await.unwrap();
    let again = intents.replace(&reference("check"), &fetching("check", ONE), Activation::Now, keyed()).await;
    let Err(Error::IdempotencyTaken(stored)) = again else { panic!("{again:?}") };
    assert_eq!((stored.fingerprint.as_str(), stored.response.as_str()), ("f", "{}"));
    assert_eq!(world.get("check").await.id, "check-v2");
}
