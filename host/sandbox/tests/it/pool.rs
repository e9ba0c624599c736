//! The pool at its limits and beyond: whoever finds it full waits, and nobody fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quantum_core::port::{Attempt, AttemptOutcome, AttemptReport, Grant, StepRunner};
use quantum_sandbox::limits::{
    CORE_INSTANCES_PER_COMPONENT_MAX, MEMORIES_PER_COMPONENT_MAX, MEMORIES_PER_PLACE, TABLE_ELEMENTS_MAX,
    TABLES_PER_COMPONENT_MAX, TABLES_PER_PLACE,
};
use quantum_sandbox::{Error, Sandbox};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::guests::{echo, guest};
use crate::heavy::heavier;
use crate::world::{World, attempt, attempt_of, options};

const NOTHING: &str = "(module)";
const MEMORY: &str = "(module (memory 1))";
const TABLE: &str = "(module (table 1 funcref))";

/// Runs until it is cancelled. It has one core module, one memory and one table.
fn holds() -> Vec<u8> {
    let import = r#"(import "quantum:context/context@1.0.0" "cancelled" (func $cancelled (result i32)))"#;
    guest(
        import,
        "(loop $wait (br_if $wait (i32.eqz (call $cancelled)))) (call $ok (i32.const 1040) (i32.const 6))",
    )
}

fn spawn(sandbox: &Arc<Sandbox>, attempt: &Attempt) -> JoinHandle<AttemptReport> {
    tokio::spawn(sandbox.run(attempt.clone()))
}

/// Waits for it; a minute is far more than it takes, and ends a test that would wait for ever.
async fn until(reached: impl Fn() -> bool) {
    let last = Instant::now() + Duration::from_secs(60);
    while !reached() {
        assert!(Instant::now() < last, "it never came to that");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn places_full_of_the_largest_components_leave_the_last_place_to_a_neighbour() {
    let world = World::new();
    let attempts = options().attempts_max;
    let own = 8;
    let heavy = heavier(&holds(), NOTHING, CORE_INSTANCES_PER_COMPONENT_MAX - own);
    let heavy = heavier(&heavy, TABLE, own - 1);
    let heavy = world.sandbox.install(heavy).await.unwrap();
    let holding = attempt_of("tenant-2", &heavy, Grant::default(), "{}");
    let running: Vec<_> = (1..attempts).map(|_| spawn(&world.sandbox, &holding)).collect();
    until(|| world.sandbox.instances() == Some(u64::from(attempts - 1))).await;

    let neighbour = world.run(&echo(), r#"{"n":1}"#).await;
    assert_eq!(neighbour.outcome, AttemptOutcome::Completed(json!({ "n": 1 })));

    // One more than there are places waits, and is not refused.
    let last = [spawn(&world.sandbox, &holding), spawn(&world.sandbox, &holding)];
    until(|| world.sandbox.instances() == Some(u64::from(attempts))).await;
    holding.cancel.raise();
    for report in running.into_iter().chain(last) {
        assert_eq!(report.await.unwrap().outcome, AttemptOutcome::Completed(json!("done")));
    }
    world.is_well().await;
}

#[tokio::test]
async fn who_finds_all_memories_taken_waits_longer_than_its_timeout_and_then_runs() {
    waits(MEMORY, MEMORIES_PER_COMPONENT_MAX, MEMORIES_PER_PLACE).await;
}

#[tokio::test]
async fn who_finds_all_tables_taken_waits_as_well() {
    waits(TABLE, TABLES_PER_COMPONENT_MAX, TABLES_PER_PLACE).await;
}

/// `module` has one of what is taken.
async fn waits(module: &str, per_component: u32, per_place: u32) {
    let world = World::new();
    let heavy = heavier(&holds(), module, per_component - 1);
    let heavy = world.sandbox.install(heavy).await.unwrap();
    let neighbour = world.sandbox.install(deadline()).await.unwrap();
    let holding = attempt_of("tenant-2", &heavy, Grant::default(), "{}");
    // At the limit: exactly so many take all of the pool.
    let fit = options().attempts_max * per_place / per_component;
    let mut running: Vec<_> = (0..fit).map(|_| spawn(&world.sandbox, &holding)).collect();
    until(|| world.sandbox.instances() == Some(u64::from(fit))).await;

    // Beyond it.
    running.push(spawn(&world.sandbox, &holding));
    let mut small = attempt(&neighbour, Grant::default(), "{}");
    small.timeout_ms = 500;
    let late = Instant::now() + Duration::from_millis(small.timeout_ms + 1);
    let waiting = spawn(&world.sandbox, &small);
    until(|| Instant::now() > late).await;
    assert_eq!(world.sandbox.instances(), Some(u64::from(fit)));
    assert!(small.bill.take_waited() && small.bill.take_waited());

    holding.cancel.raise();
    for report in running {
        assert_eq!(report.await.unwrap().outcome, AttemptOutcome::Completed(json!("done")));
    }
    let AttemptOutcome::Completed(told) = waiting.await.unwrap().outcome else { panic!("it failed") };
    assert!(told.as_u64().unwrap() >= 101 + small.timeout_ms / 100, "{told}");
    assert!(small.bill.take_waited() && !small.bill.take_waited());
    world.is_well().await;
}

/// Its deadline in tenths of a second, from 101 for the one that attempts have here.
fn deadline() -> Vec<u8> {
    let import = r#"(import "quantum:context/context@1.0.0" "deadline" (func $ask (param i32)))"#;
    let run = "(call $ask (i32.const 4096))
               (call $ok (call $digits (i32.add (i32.const 100) (i32.wrap_i64 (i64.rem_u
                   (i64.div_u (i64.load (i32.const 4104)) (i64.const 100)) (i64.const 900)))))
                   (i32.const 3))";
    guest(import, run)
}

#[tokio::test]
async fn large_and_small_components_in_parallel_all_complete() {
    let world = World::new();
    let large = heavier(&echo(), MEMORY, MEMORIES_PER_COMPONENT_MAX - 1);
    let wide = heavier(&echo(), NOTHING, CORE_INSTANCES_PER_COMPONENT_MAX - 1);
    let mut digests = Vec::new();
    for component in [large, wide, heavier(&echo(), TABLE, 40), echo()] {
        digests.push(world.sandbox.install(component).await.unwrap());
    }
    let mut running = tokio::task::JoinSet::new();
    for n in 0..200 {
        let digest = &digests[n % digests.len()];
        running.spawn(world.sandbox.run(attempt(digest, Grant::default(), &n.to_string())));
    }
    while let Some(report) = running.join_next().await {
        let report = report.unwrap();
        assert!(matches!(report.outcome, AttemptOutcome::Completed(_)), "{report:?}");
    }
    world.is_well().await;
}

/// Whether it is installed, or why not.
async fn install(component: Vec<u8>) -> Result<(), String> {
    let installed = World::new().sandbox.install(component).await;
    installed.map(drop).map_err(|error| match error {
        Error::Compile { reason } => reason,
        other => panic!("{other:?}"),
    })
}

fn table_of(elements: usize) -> Vec<u8> {
    heavier(&echo(), &format!("(module (table {elements} funcref))"), 1)
}

#[tokio::test]
async fn a_component_that_would_never_have_room_is_refused_when_it_is_installed() {
    let refused = |what: &str, count: u32, max: u32| {
        format!(
            "The component transitively contains {count} {what}, which exceeds the configured maximum of {max} in the \
             pooling allocator"
        )
    };
    for (module, max, what) in [
        (NOTHING, CORE_INSTANCES_PER_COMPONENT_MAX, "core module instances"),
        (MEMORY, MEMORIES_PER_COMPONENT_MAX, "Wasm linear memories"),
        (TABLE, TABLES_PER_COMPONENT_MAX, "tables"),
    ] {
        assert_eq!(install(heavier(&echo(), module, max - 1)).await, Ok(()), "{what}");
        assert_eq!(install(heavier(&echo(), module, max)).await, Err(refused(what, max + 1, max)));
    }
    assert_eq!(install(table_of(TABLE_ELEMENTS_MAX)).await, Ok(()));
    let reason = install(table_of(TABLE_ELEMENTS_MAX + 1)).await.unwrap_err();
    assert!(reason.contains("20001"), "{reason}");
}
