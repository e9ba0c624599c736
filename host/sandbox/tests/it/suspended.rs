//! A component that breaks again and again is suspended in its tenant, and in no other.

use quantum_core::port::{AttemptOutcome, FailureKind, Grant, StepRunner};
use quantum_sandbox::SandboxOptions;
use quantum_sandbox::limits::{BROKEN_IN_A_ROW_MAX, SUSPENDED_MS_FIRST};
use serde_json::json;

use crate::guests::guest;
use crate::world::{World, attempt, attempt_of, failure, options};

/// Traps when its parameters are `0`, fails when they are `1`, and else gives them back.
fn moody() -> Vec<u8> {
    let first = "(i32.load8_u (local.get $text))";
    let run = format!(
        "(if (i32.eq {first} (i32.const 48)) (then (unreachable)))
         (if (i32.eq {first} (i32.const 49))
            (then (return (call $failed (i32.const 1) (i32.const 1056) (i32.const 4)))))
         (call $ok (local.get $text) (local.get $text_len))"
    );
    guest("", &run)
}

async fn code(world: &World, parameters: &str) -> String {
    let report = world.run(&moody(), parameters).await;
    match report.outcome {
        AttemptOutcome::Failed(failure) => failure.problem.code,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_component_that_breaks_again_and_again_is_suspended_until_a_probe_is_sound() {
    let world = World::new();
    for _ in 0..BROKEN_IN_A_ROW_MAX {
        assert_eq!(code(&world, "0").await, "trap");
    }
    let report = world.run(&moody(), "2").await;
    assert_eq!(report.bill, Default::default(), "it was not made");
    let told = failure(report);
    assert_eq!((told.kind, told.problem.code.as_str()), (FailureKind::Retryable, "plugin-suspended"));
    assert!(told.problem.retryable);
    assert!((1..=SUSPENDED_MS_FIRST).contains(&told.retry_after_ms.unwrap()), "{told:?}");

    let digest = world.store(&moody());
    let other = world.sandbox.run(attempt_of("tenant-2", &digest, Grant::default(), "2")).await;
    assert_eq!(other.outcome, AttemptOutcome::Completed(json!(2)), "another tenant's is not suspended");
    world.is_well().await;

    // The first attempt after the pause is the probe.
    let probed = loop {
        let report = world.sandbox.run(attempt(&digest, Grant::default(), "2")).await;
        match report.outcome {
            AttemptOutcome::Failed(failure) if failure.problem.code == "plugin-suspended" => {
                tokio::task::yield_now().await;
            }
            outcome => break outcome,
        }
    };
    assert_eq!(probed, AttemptOutcome::Completed(json!(2)));
    assert_eq!(code(&world, "0").await, "trap", "it is not suspended any more");
}

#[tokio::test]
async fn failures_in_the_plugins_own_words_never_suspend_it() {
    let world = World::new();
    for _ in 0..=2 * BROKEN_IN_A_ROW_MAX {
        assert_eq!(code(&world, "1").await, "http");
    }
    for parameters in ["0", "0", "0", "0", "1", "0", "0", "0", "0", "2", "0"] {
        assert_ne!(code(&world, parameters).await, "plugin-suspended");
    }
}

#[tokio::test]
async fn memory_and_processor_time_used_up_suspend_it_and_timeouts_do_not() {
    let world = World::with(SandboxOptions { cpu_ms_max: 20, broken_in_a_row_max: 2, ..options() });
    let spin = guest("", "(loop (br 0)) (unreachable)");
    let eat = guest("", "(drop (memory.grow (i32.const 2000))) (unreachable)");
    for (component, expected) in [(spin, "cpu-limit"), (eat, "memory-limit")] {
        for code in [expected, expected, "plugin-suspended"] {
            assert_eq!(failure(world.run(&component, "{}").await).problem.code, code);
        }
    }
    let world = World::with(SandboxOptions { broken_in_a_row_max: 1, ..options() });
    let wait = world.store(&guest("", "(loop $l (br $l)) (i32.const 0)"));
    for _ in 0..2 {
        let mut attempt = attempt(&wait, Grant::default(), "{}");
        attempt.timeout_ms = 30;
        assert_eq!(failure(world.sandbox.run(attempt).await).problem.code, "timeout");
    }
}
