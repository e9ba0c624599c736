//! Artifacts: what a reference means, bounds, and what is left behind.

use quantum_catalog::{ArtifactFilter, Effects, Holder, PageRequest};
use quantum_core::port::{ArtifactScope, ArtifactStore};
use quantum_store::Blobs;

use super::world::{World, attempt, code, execution, fetch, naming, store, upload, world, world_with};
use crate::support::{at, refused};

#[tokio::test]
async fn a_reference_is_a_digest_then_a_name_of_the_execution_then_one_of_the_tenant() {
    let world = world().await;
    let effects = &world.effects;
    world.put(&world.ours, "./app", "of the tenant").await;
    let (first, second) = (attempt(&world.ours, 1), attempt(&world.ours, 2));
    assert_eq!(fetch(effects, &first, "./app").await.unwrap(), "of the tenant");
    let stored = store(effects, &first, "of the execution", Some("./app")).await.unwrap();
    assert_eq!((stored.size, &stored.digest), (16, &Blobs::digest(b"of the execution")));
    assert_eq!(fetch(effects, &first, "./app").await.unwrap(), "of the execution");
    assert_eq!(fetch(effects, &second, "./app").await.unwrap(), "of the tenant");
    assert_eq!(fetch(effects, &second, stored.digest.as_str()).await.unwrap(), "of the execution");
    assert_eq!(effects.stat(&first, "./app").await.unwrap(), Some(stored));
    assert_eq!(effects.stat(&first, "app").await.unwrap(), None, "names are compared as they are written");
    assert_eq!(code(ArtifactStore::open(effects, &first, "app", 0).await), "missing");
    let mut from = ArtifactStore::open(effects, &first, "./app", 7).await.unwrap();
    assert_eq!(from.read(100).await.unwrap(), b"execution");
}

#[tokio::test]
async fn what_a_step_stores_without_a_name_is_found_by_its_digest() {
    let world = world().await;
    let scope = attempt(&world.ours, 1);
    let stored = store(&world.effects, &scope, "layer", None).await.unwrap();
    assert_eq!(fetch(&world.effects, &scope, stored.digest.as_str()).await.unwrap(), "layer");
    let filter = ArtifactFilter { holder: Holder::Execution(execution(1)), prefix: None };
    let listed = world.effects.artifacts(&world.ours).list(&filter, PageRequest::first(9)).await.unwrap();
    let [one] = listed.items.as_slice() else { panic!("{listed:?}") };
    assert_eq!(
        (one.name.as_str(), one.by.as_str()),
        (stored.digest.as_str(), execution(1).to_string().as_str())
    );
}

#[tokio::test]
async fn an_installation_may_restrict_the_tenants_names_and_nothing_else() {
    let world = world().await;
    let effects = &world.effects;
    let secret = world.put(&world.ours, "other/keys", "not for it").await;
    world.put(&world.ours, "app/source", "for it").await;
    let only = |prefixes: &[&str]| ArtifactScope {
        name_prefixes: Some(prefixes.iter().map(|prefix| (*prefix).to_owned()).collect()),
        ..attempt(&world.ours, 1)
    };
    let app = only(&["docs/", "app/"]);
    assert_eq!(fetch(effects, &app, "app/source").await.unwrap(), "for it");
    assert_eq!(effects.stat(&app, "app/none").await.unwrap(), None);
    let denied = effects.stat(&app, "other/keys").await.unwrap_err();
    assert_eq!(denied, {
        let same = effects.stat(&app, "other/none").await.unwrap_err();
        quantum_core::port::EffectError { message: same.message.replace("none", "keys"), ..same }
    });
    assert_eq!(denied.code, "denied");
    assert!(denied.message.contains("\"docs/\" or \"app/\""), "{}", denied.message);
    let nothing = effects.stat(&only(&[]), "app/source").await.unwrap_err();
    assert!(nothing.message.contains("may read none of them"), "{}", nothing.message);
    assert_eq!(fetch(effects, &app, secret.digest.as_str()).await.unwrap(), "not for it");
    store(effects, &app, "own", Some("other/keys")).await.unwrap();
    assert_eq!(fetch(effects, &app, "other/keys").await.unwrap(), "own");
}

#[tokio::test]
async fn a_bad_name_is_refused_and_leaves_nothing() {
    let world = world().await;
    let (effects, scope) = (&world.effects, attempt(&world.ours, 1));
    for bad in ["", "a\nb", "sha256:abc", &"x".repeat(256)] {
        assert_eq!(code(store(effects, &scope, "bytes", Some(bad)).await), "invalid-name", "{bad}");
        assert_eq!(code(effects.stat(&scope, bad).await), "invalid-name", "{bad}");
    }
    assert_eq!(code(effects.create(&scope, Some("nonsense".into())).await), "invalid-name");
    assert!(world.files().is_empty(), "{:?}", world.files());
    let (code, text) = refused(effects.artifacts(&world.ours).find("sha256:ABC", &[]).await);
    assert_eq!(code, "invalid-name");
    assert!(text.contains("64 lowercase hex digits"), "{text}");
}

#[tokio::test]
async fn an_artifact_has_no_more_bytes_than_it_may() {
    let world = world_with(|options| options.artifact_bytes_max = 6).await;
    let scope = attempt(&world.ours, 1);
    store(&world.effects, &scope, "123456", Some("full")).await.unwrap();
    let over = store(&world.effects, &scope, "1234567", Some("over")).await.unwrap_err();
    assert_eq!((over.code, over.retryable), ("too-large", false));
    assert!(over.message.contains("at most 6 bytes"), "{}", over.message);
    assert_eq!(world.files().len(), 1);
}

#[tokio::test]
async fn a_tenant_keeps_no_more_than_its_quota_and_no_bytes_of_what_was_refused() {
    let world = world_with(|options| options.artifacts.bytes_max = 10).await;
    let (effects, ours) = (&world.effects, attempt(&world.ours, 1));
    store(effects, &ours, "12345", Some("a")).await.unwrap();
    store(effects, &ours, "67890", Some("b")).await.unwrap();
    let over = store(effects, &ours, "x", Some("c")).await.unwrap_err();
    assert_eq!((over.code, over.retryable), ("quota", false));
    assert!(over.message.contains("quantum artifact list"), "{}", over.message);
    assert_eq!(world.files().len(), 2);
    store(effects, &ours, "12345", Some("again")).await.unwrap();
    store(effects, &attempt(&world.theirs, 1), "12345", None).await.unwrap();
    assert_eq!(effects.artifacts(&world.ours).usage().await.unwrap().bytes, 10);
    assert_eq!(world.files().len(), 2, "the same content of two tenants is there once");
}

#[tokio::test]
async fn what_is_being_written_is_bounded_for_each_tenant_and_given_back() {
    let world = world_with(|options| options.unfinished_bytes_max = 8).await;
    let (effects, scope) = (&world.effects, attempt(&world.ours, 1));
    let mut first = effects.create(&scope, None).await.unwrap();
    first.write(b"12345".to_vec()).await.unwrap();
    let mut second = effects.create(&scope, None).await.unwrap();
    second.write(b"123".to_vec()).await.unwrap();
    let over = second.write(b"4".to_vec()).await.unwrap_err();
    assert_eq!((over.code, over.retryable), ("quota", true));
    store(effects, &attempt(&world.theirs, 1), "12345678", None).await.unwrap();
    drop(first);
    second.write(b"45678".to_vec()).await.unwrap();
    second.finish(None).await.unwrap();
    store(effects, &scope, "abcdefgh", None).await.unwrap();
}

#[tokio::test]
async fn a_draft_that_a_crash_left_is_gone_after_a_start_on_the_next_day() {
    let world = world().await;
    let scope = attempt(&world.ours, 1);
    let mut half = world.effects.create(&scope, None).await.unwrap();
    half.write(b"half of it".to_vec()).await.unwrap();
    std::mem::forget(half);
    assert_eq!(world.files().len(), 1);
    let draft = std::fs::File::options().write(true).open(&world.files()[0]).unwrap();
    let written_at = draft.metadata().unwrap().modified().unwrap();
    draft.set_modified(written_at - std::time::Duration::from_secs(24 * 60 * 60)).unwrap();
    let restarted = world.restarted(&super::world::MASTER, &[]);
    assert!(world.files().is_empty());
    assert_eq!(restarted.stat(&scope, Blobs::digest(b"half of it").as_str()).await.unwrap(), None);
    store(&restarted, &scope, "all of it", Some("it")).await.unwrap();
    let again = world.restarted(&super::world::MASTER, &[]);
    assert_eq!(fetch(&again, &scope, "it").await.unwrap(), "all of it");
}

#[tokio::test]
async fn lost_and_damaged_bytes_are_the_hosts_trouble_and_are_told_to_nobody_else() {
    let world = world().await;
    let (effects, scope) = (&world.effects, attempt(&world.ours, 1));
    let stored = store(effects, &scope, "bytes", Some("it")).await.unwrap();
    effects.artifacts(&world.ours).verify(&stored.digest).await.unwrap();
    std::fs::write(&world.files()[0], "bites").unwrap();
    let damaged = fetch(effects, &scope, "it").await.unwrap_err();
    assert_eq!((damaged.code, damaged.retryable), ("unavailable", true));
    assert_eq!(refused(effects.artifacts(&world.ours).verify(&stored.digest).await).0, "store");
    std::fs::remove_file(&world.files()[0]).unwrap();
    let lost = fetch(effects, &scope, "it").await.unwrap_err();
    assert_eq!(lost.message, damaged.message);
    assert!(!lost.message.contains(stored.digest.as_str()), "{}", lost.message);
    store(effects, &scope, "bytes", Some("it")).await.unwrap();
    assert_eq!(fetch(effects, &scope, "it").await.unwrap(), "bytes");
}

#[tokio::test]
async fn a_name_that_is_removed_is_gone_and_its_content_can_be_found_for_a_day() {
    let world = world().await;
    let artifacts = world.effects.artifacts(&world.ours);
    let stored = world.put(&world.ours, "./app", "content").await;
    assert_eq!(artifacts.find("./app", &[Holder::Tenant]).await.unwrap(), Some(stored.clone()));
    artifacts.remove(Holder::Tenant, "./app", at(2)).await.unwrap();
    assert_eq!(artifacts.find("./app", &[Holder::Tenant]).await.unwrap(), None);
    assert_eq!(artifacts.find(stored.digest.as_str(), &[]).await.unwrap(), Some(stored));
    let (code, text) = refused(artifacts.remove(Holder::Tenant, "./app", at(2)).await);
    assert_eq!(
        (code, text.as_str()),
        ("not-found", "artifact \"./app\" does not exist; list what is there: quantum artifact list")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_store_the_same_content_at_one_time_all_have_it() {
    let world = world().await;
    let text = "the same bytes ".repeat(1_000);
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (effects, scope, text): (Effects, _, _) =
                (world.effects.clone(), attempt(&world.ours, number % 4), text.clone());
            tokio::spawn(async move {
                store(&effects, &scope, &text, Some(&format!("name-{number}"))).await.unwrap();
                fetch(&effects, &scope, &format!("name-{number}")).await.unwrap() == text
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(world.files().len(), 1);
    let usage = world.effects.artifacts(&world.ours).usage().await.unwrap();
    assert_eq!((usage.artifacts, usage.bytes), (1, text.len() as u64));
}

#[tokio::test]
async fn an_upload_is_refused_at_its_end_when_its_place_was_taken_meanwhile() {
    let world: World = world_with(|options| options.artifacts.bytes_max = 5).await;
    let first = upload(&world.effects, &world.ours, "12345").await;
    let second = upload(&world.effects, &world.ours, "54321").await;
    first.finish(naming(Some("first"))).await.unwrap();
    assert_eq!(refused(second.finish(naming(Some("second"))).await).0, "quota");
    assert_eq!(world.files().len(), 1);
}
