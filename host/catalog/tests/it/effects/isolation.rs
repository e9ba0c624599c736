//! Two tenants under the same names, digests and plugins never see each other's effects.

use quantum_catalog::{ArtifactFilter, Holder, NewSecret, PageRequest, Reach, SecretValue};
use quantum_core::port::{ArtifactStore, KeyValueStore, SecretSource};
use quantum_core::vocabulary::Environment;

use super::world::{attempt, code, fetch, space, store, world};
use crate::support::{ann, at, hosts, refused};

#[tokio::test]
async fn an_artifact_of_one_tenant_is_unknown_to_the_other_by_name_and_by_digest() {
    let world = world().await;
    let effects = &world.effects;
    let (ours, theirs) = (attempt(&world.ours, 1), attempt(&world.theirs, 1));
    let stored = store(effects, &ours, "ours", Some("run")).await.unwrap();
    world.put(&world.ours, "app", "ours").await;
    for reference in ["run", "app", stored.digest.as_str()] {
        assert_eq!(effects.stat(&theirs, reference).await.unwrap(), None, "{reference}");
        assert_eq!(code(ArtifactStore::open(effects, &theirs, reference, 0).await), "missing", "{reference}");
    }
    let artifacts = effects.artifacts(&world.theirs);
    assert_eq!(refused(artifacts.verify(&stored.digest).await).0, "not-found");
    assert_eq!(refused(artifacts.remove(Holder::Tenant, "app", at(1)).await).0, "not-found");
    let filter = ArtifactFilter { holder: Holder::Tenant, prefix: None };
    assert!(artifacts.list(&filter, PageRequest::first(9)).await.unwrap().items.is_empty());
    assert_eq!(artifacts.usage().await.unwrap().bytes, 0);

    world.put(&world.theirs, "app", "theirs").await;
    store(effects, &theirs, "ours", Some("run")).await.unwrap();
    artifacts.remove(Holder::Tenant, "app", at(1)).await.unwrap();
    effects.collect(at(40 * 24 * 60 * 60 * 1_000)).await.unwrap();
    assert_eq!(fetch(effects, &ours, "app").await.unwrap(), "ours");
    assert_eq!(world.store.stats().foreign_rows, 0);
}

#[tokio::test]
async fn values_are_apart_by_tenant_and_by_plugin() {
    let world = world().await;
    let kv = &world.effects;
    let spaces = [
        space(&world.ours, "acme:sync"),
        space(&world.ours, "acme:other"),
        space(&world.theirs, "acme:sync"),
    ];
    for (number, own) in spaces.iter().enumerate() {
        assert_eq!(kv.get(own, "key").await.unwrap(), None);
        let written = kv.compare_and_set(own, "key", None, vec![number as u8], None).await.unwrap();
        assert!(written.is_some(), "nothing of the others is there");
    }
    kv.delete(&spaces[2], "key").await.unwrap();
    kv.set(&spaces[1], "key", vec![9], None).await.unwrap();
    assert_eq!(kv.get(&spaces[0], "key").await.unwrap().unwrap().value, [0]);
}

#[tokio::test]
async fn a_secret_of_one_tenant_is_missing_for_the_other() {
    let world = world().await;
    let effects = &world.effects;
    let secret = |value: &str| NewSecret {
        name: "TOKEN".into(),
        environment: Environment::Test,
        value: SecretValue::new(value.into()),
        reach: Reach::Hosts(hosts(&["https://api.example.com"])),
        expires_at: None,
    };
    effects.secrets(&world.ours).set(secret("ours"), &ann(), at(1)).await.unwrap();
    let asked = |environment| SecretSource::open(effects, world.theirs.tenant(), "TOKEN", environment);
    assert_eq!(code(asked(Environment::Test).await), "missing");
    assert_eq!(code(asked(Environment::Production).await), "missing", "nor is said that somebody has it");
    let theirs = effects.secrets(&world.theirs);
    assert!(theirs.list(PageRequest::first(9)).await.unwrap().items.is_empty());
    assert_eq!(refused(theirs.remove("TOKEN", Environment::Test).await).0, "not-found");
    theirs.set(secret("theirs"), &ann(), at(1)).await.unwrap();
    theirs.rotate(at(2)).await.unwrap();
    assert_eq!(asked(Environment::Test).await.unwrap().value, "theirs");
    let ours = SecretSource::open(effects, world.ours.tenant(), "TOKEN", Environment::Test).await.unwrap();
    assert_eq!(ours.value, "ours");
}
