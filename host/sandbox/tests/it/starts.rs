//! The first start of a component, at its install: with an attempt's pool and limits, without any grant.

use quantum_core::port::AttemptOutcome;
use quantum_sandbox::{Error, SandboxOptions};
use serde_json::json;

use crate::guests::{component, echo, guest, module};
use crate::heavy::heavier;
use crate::world::{World, options};

/// A component that does this when it is instantiated. `imports` have no memory yet to write into.
fn starting(imports: &str, body: &str) -> Vec<u8> {
    let start = format!("{imports} (func $first {body}) (start $first)");
    guest(&start, "(call $ok (local.get $text) (local.get $text_len))")
}

/// What the install says: the code and the text of the failure, which every attempt would have.
async fn refused(world: &World, bytes: Vec<u8>) -> (String, String) {
    let error = world.sandbox.install(bytes).await.unwrap_err();
    assert_eq!(error.code(), "plugin-does-not-start");
    let Error::DoesNotStart(problem) = error else { panic!("{error:?}") };
    world.is_well().await;
    (problem.code, problem.message)
}

#[tokio::test]
async fn a_component_that_traps_when_it_is_started_is_refused() {
    let told = refused(&World::new(), starting("", "unreachable")).await;
    assert_eq!(told, ("trap".into(), "the plugin trapped: wasm `unreachable` instruction executed".into()));
}

#[tokio::test]
async fn a_component_that_spins_when_it_is_started_is_refused_at_its_processor_time() {
    let world = World::with(SandboxOptions { cpu_ms_max: 50, ..options() });
    let told = refused(&world, starting("", "(loop (br 0))")).await;
    assert_eq!(told, ("cpu-limit".into(), "the plugin used more than its 50 ms of processor time".into()));
}

#[tokio::test]
async fn a_component_begins_with_no_more_memory_than_its_plugin_asks_for() {
    // 80 MiB.
    let large = heavier(&echo(), "(module (memory 1280))", 1);
    let world = World::new();
    let (code, message) = refused(&world, large.clone()).await;
    assert_eq!(code, "memory-limit");
    assert!(message.contains("more than its 64 MiB"), "{message}");
    world.sandbox.install_asking(large.clone(), Some(96 << 20)).await.unwrap();
    // What it asks for is cut to what this host gives.
    let world = World::with(SandboxOptions { memory_bytes_ceiling: 72 << 20, ..options() });
    let error = world.sandbox.install_asking(large, Some(96 << 20)).await.unwrap_err();
    assert!(
        matches!(error, Error::DoesNotFit(_) | Error::Compile { .. } | Error::DoesNotStart(_)),
        "{error}"
    );
}

#[tokio::test]
async fn what_a_component_does_at_its_start_with_a_capability_is_not_held_against_it() {
    let import = r#"(import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))"#;
    let world = World::new();
    let digest = world.sandbox.install(starting(import, "(drop (call $random))")).await.unwrap();
    world.sandbox.prepare(&digest).await.unwrap();
}

#[tokio::test]
async fn a_component_that_does_not_start_is_refused_also_when_it_is_compiled_already() {
    let dir = tempfile::tempdir().unwrap();
    let cached = SandboxOptions { cache_dir: Some(dir.path().to_owned()), ..options() };
    let world = World::with(cached);
    for _ in 0..2 {
        refused(&world, starting("", "unreachable")).await;
    }
    let report = world
        .run(&component(crate::guests::WORLD, &module("", "(call $ok (i32.const 1040) (i32.const 6))")), "1")
        .await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!("done")));
}
