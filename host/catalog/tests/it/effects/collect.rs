//! What goes, and when: nothing that somebody may still need.

use quantum_catalog::{Collected, Holder};
use quantum_core::port::ArtifactStore;
use quantum_store::conformance::{commit, create, execution_id};
use quantum_store::{Blobs, TenantScope};

use super::world::{World, attempt, fetch, naming, store, upload, world};
use crate::support::at;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Execution `number` of the conformance suite's ids: started, and ended at this time.
async fn ended(world: &World, scope: &TenantScope, number: u64, millis: i64) {
    world.store.journal().commit(create(scope, number)).await.unwrap();
    let mut end = commit(scope, number, 1, 1);
    end.row.ended_at = Some(at(millis));
    world.store.journal().commit(end).await.unwrap();
}

fn run(scope: &TenantScope, number: u64) -> quantum_core::port::ArtifactScope {
    quantum_core::port::ArtifactScope { execution: execution_id(number), ..attempt(scope, 0) }
}

#[tokio::test]
async fn artifacts_go_with_their_execution_and_those_of_others_stay() {
    let world = world().await;
    let (effects, ours) = (&world.effects, &world.ours);
    ended(&world, ours, 1, DAY_MS).await;
    world.store.journal().commit(create(ours, 2)).await.unwrap();
    store(effects, &run(ours, 1), "ended", Some("a")).await.unwrap();
    store(effects, &run(ours, 1), "shared", Some("b")).await.unwrap();
    store(effects, &run(ours, 2), "open", Some("a")).await.unwrap();
    store(effects, &run(ours, 2), "shared", Some("b")).await.unwrap();
    assert_eq!(effects.collect(at(11 * DAY_MS)).await.unwrap(), Collected::default());
    let executions = world.store.executions(ours);
    assert!(executions.purge(&[execution_id(1)], at(DAY_MS), at(11 * DAY_MS)).await.unwrap());
    assert!(executions.sweep(at(11 * DAY_MS), 100).await.unwrap() > 0);
    assert_eq!(effects.stat(&run(ours, 1), "a").await.unwrap(), None);
    assert_eq!(effects.collect(at(12 * DAY_MS - 1)).await.unwrap(), Collected::default());
    let rest = effects.collect(at(12 * DAY_MS)).await.unwrap();
    assert_eq!(rest, Collected { artifacts: 1, blobs: 1, bytes: 5, ..Collected::default() });
    assert_eq!(effects.collect(at(500 * DAY_MS)).await.unwrap(), Collected::default());
    assert_eq!(fetch(effects, &run(ours, 2), "b").await.unwrap(), "shared");
    assert_eq!(world.files().len(), 2);
}

#[tokio::test]
async fn a_name_that_came_after_its_execution_was_removed_goes_a_day_later() {
    let world = world().await;
    let late = quantum_catalog::Naming { holder: Holder::Execution(execution_id(1)), ..naming(Some("a")) };
    let late = quantum_catalog::Naming { at: at(1), ..late };
    upload(&world.effects, &world.ours, "late").await.finish(late).await.unwrap();
    assert_eq!(world.effects.collect(at(DAY_MS)).await.unwrap(), Collected::default());
    let names = world.effects.collect(at(DAY_MS + 1)).await.unwrap();
    assert_eq!(names, Collected { names: 1, ..Collected::default() });
}

#[tokio::test]
async fn a_blob_goes_when_no_tenant_has_it_any_more() {
    let world = world().await;
    let effects = &world.effects;
    for scope in [&world.ours, &world.theirs] {
        world.put(scope, "app", "the same").await;
    }
    effects.artifacts(&world.ours).remove(Holder::Tenant, "app", at(1)).await.unwrap();
    let first = effects.collect(at(DAY_MS + 1)).await.unwrap();
    assert_eq!((first.artifacts, first.blobs), (1, 0), "the other tenant has it");
    effects.artifacts(&world.theirs).remove(Holder::Tenant, "app", at(1)).await.unwrap();
    let second = effects.collect(at(DAY_MS + 1)).await.unwrap();
    assert_eq!((second.artifacts, second.blobs, second.bytes), (1, 1, 8));
    assert!(world.files().is_empty());
}

#[tokio::test]
async fn a_blob_without_a_row_is_left_to_its_writer_for_an_hour() {
    let world = world().await;
    // What a crash between the blob and its row leaves.
    let blobs = Blobs::open_artifacts(world.files_root()).unwrap();
    let mut writer = blobs.create().await.unwrap();
    writer.write(b"orphan".to_vec()).await.unwrap();
    writer.finish(at(0)).await.unwrap();
    assert_eq!(world.effects.collect(at(HOUR_MS)).await.unwrap().blobs, 0);
    assert_eq!(world.effects.collect(at(HOUR_MS + 1)).await.unwrap().blobs, 1);
    assert!(world.files().is_empty());
}

#[tokio::test]
async fn content_that_is_stored_again_while_it_is_collected_stays() {
    let world = world().await;
    world.put(&world.ours, "app", "again").await;
    world.effects.artifacts(&world.ours).remove(Holder::Tenant, "app", at(1)).await.unwrap();
    world.effects.collect(at(DAY_MS)).await.unwrap();
    let late = quantum_catalog::Naming { at: at(2 * DAY_MS), ..naming(Some("app")) };
    let writing = upload(&world.effects, &world.ours, "again").await.finish(late);
    let (stored, _) = tokio::join!(writing, world.effects.collect(at(2 * DAY_MS)));
    let stored = stored.unwrap();
    world.effects.artifacts(&world.ours).verify(&stored.digest).await.unwrap();
    assert_eq!(fetch(&world.effects, &attempt(&world.ours, 1), "app").await.unwrap(), "again");
}
