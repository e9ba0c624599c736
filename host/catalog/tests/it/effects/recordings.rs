//! Recordings of attempts: which one is found, who does not see them, and what is left of them.

use quantum_catalog::{ArtifactFilter, Holder, PageRequest};
use quantum_core::id::StepId;
use quantum_core::port::{RecordingKey, RecordingSlotKey, RecordingStore};
use quantum_store::{Blobs, TenantScope};

use super::world::{World, attempt, execution, store, world, world_with};
use crate::support::at;

fn slot(step: &str) -> RecordingSlotKey {
    RecordingSlotKey { step: StepId::new(step).unwrap(), element: None, compensates: false }
}

async fn keep(world: &World, slot: &RecordingSlotKey, attempt: u32, text: &str) {
    let key = RecordingKey { execution: execution(1), slot: slot.clone(), attempt };
    let kept = RecordingStore::keep(&world.effects, world.ours.tenant(), key, text.as_bytes().to_vec());
    kept.await.unwrap();
}

async fn find(
    world: &World,
    scope: &TenantScope,
    slot: &RecordingSlotKey,
    attempt: Option<u32>,
) -> Option<String> {
    let found = world.effects.recordings(scope).find(execution(1), slot, attempt).await.unwrap();
    found.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn an_attempt_is_found_by_its_number_and_the_last_one_without() {
    let world = world().await;
    let (run, other) = (slot("push"), slot("push-2"));
    let element = RecordingSlotKey { element: Some(1), ..run.clone() };
    let undo = RecordingSlotKey { compensates: true, ..run.clone() };
    for (slot, number, text) in [
        (&run, 2, "second"),
        (&run, 10, "tenth"),
        (&element, 11, "element"),
        (&undo, 12, "undo"),
        (&other, 13, "other"),
    ] {
        keep(&world, slot, number, text).await;
    }
    for (slot, number, text) in [
        (&run, Some(2), Some("second")),
        (&run, None, Some("tenth")),
        (&run, Some(1), None),
        (&element, None, Some("element")),
        (&undo, None, Some("undo")),
        (&other, None, Some("other")),
        (&slot("pus"), None, None),
    ] {
        assert_eq!(find(&world, &world.ours, slot, number).await.as_deref(), text, "{slot:?} {number:?}");
        assert_eq!(find(&world, &world.theirs, slot, number).await, None, "of another tenant");
    }
}

#[tokio::test]
async fn after_a_restart_the_last_one_is_the_newest_whatever_its_number() {
    let world = world().await;
    keep(&world, &slot("push"), 3, "before").await;
    world.set_clock(at(1));
    keep(&world, &slot("push"), 1, "after").await;
    assert_eq!(find(&world, &world.ours, &slot("push"), None).await.as_deref(), Some("after"));
}

#[tokio::test]
async fn no_list_of_artifacts_shows_a_recording_nor_what_it_replaced() {
    let world = world().await;
    keep(&world, &slot("push"), 1, "before a restart").await;
    keep(&world, &slot("push"), 1, "after it").await;
    store(&world.effects, &attempt(&world.ours, 1), "layer", Some("layer")).await.unwrap();
    assert_eq!(find(&world, &world.ours, &slot("push"), Some(1)).await.as_deref(), Some("after it"));
    for (prefix, names) in [(None, vec!["layer"]), (Some("\u{1}".to_owned()), vec![])] {
        let filter = ArtifactFilter { holder: Holder::Execution(execution(1)), prefix };
        for after in [None, Some("\u{1}".to_owned())] {
            let page = PageRequest { limit: 9, after };
            let listed = world.effects.artifacts(&world.ours).list(&filter, page).await.unwrap();
            let found: Vec<_> = listed.items.iter().map(|item| item.name.as_str()).collect();
            assert_eq!(found, names);
        }
    }
    let replaced = world.store.artifacts(&world.ours).get(&Blobs::digest(b"before a restart")).await.unwrap();
    assert!(replaced.is_some(), "it waits for the sweep");
}

#[tokio::test]
async fn recordings_count_to_the_quota_and_leave_no_bytes_over_it() {
    let world = world_with(|options| options.artifacts.bytes_max = 6).await;
    keep(&world, &slot("push"), 1, "123456").await;
    let key = RecordingKey { execution: execution(1), slot: slot("push"), attempt: 2 };
    let over =
        RecordingStore::keep(&world.effects, world.ours.tenant(), key, b"7".to_vec()).await.unwrap_err();
    assert_eq!((over.code, world.files().len()), ("quota", 1));
}
