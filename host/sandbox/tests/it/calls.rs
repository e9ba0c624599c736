//! What well-behaved guests see of the host, and what the host reports of them.

use quantum_core::port::{AttemptOutcome, FailureKind, Grant, StepRunner};
use quantum_sandbox::SandboxOptions;
use serde_json::json;

use crate::guests::{echo, guest};
use crate::world::{World, attempt, failure, options};

#[tokio::test]
async fn a_result_is_returned_with_a_bill() {
    let world = World::new();
    let report = world.run(&echo(), r#"{"a":[1,2]}"#).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!({ "a": [1, 2] })));
    assert!(report.bill.cpu_us > 0 && report.bill.wall_us > 0, "{:?}", report.bill);
    assert_eq!(report.bill.memory_bytes_peak, 2 * 65536 + 8);
    assert_eq!((report.bill.host_calls, report.bill.sent_bytes, report.bill.received_bytes), (0, 0, 0));
}

#[tokio::test]
async fn a_permanent_and_a_retryable_failure_are_kept_as_the_plugin_said_them() {
    let world = World::new();
    let details = Some(json!({ "at": 1 }));

    let permanent = guest("", "(call $failed (i32.const 0) (i32.const 1056) (i32.const 4))");
    let permanent = failure(world.run(&permanent, "1").await);
    assert_eq!((permanent.kind, permanent.retry_after_ms), (FailureKind::Permanent, None));
    assert_eq!(permanent.problem.to_string(), "http: boom");
    assert_eq!((permanent.problem.retryable, permanent.problem.details), (false, details.clone()));

    let retryable = guest("", "(call $failed (i32.const 1) (i32.const 1056) (i32.const 4))");
    let retryable = failure(world.run(&retryable, "1").await);
    assert_eq!((retryable.kind, retryable.retry_after_ms), (FailureKind::Retryable, Some(1_500)));
    assert_eq!((retryable.problem.retryable, retryable.problem.details), (true, details));
}

#[tokio::test]
async fn a_guest_that_sees_the_cancellation_may_stop() {
    let world = World::new();
    let import = r#"(import "quantum:context/context@1.0.0" "cancelled" (func $cancelled (result i32)))"#;
    let run =
        "(if (call $cancelled) (then (return (call $failed (i32.const 2) (i32.const 0) (i32.const 0)))))
               (call $ok (i32.const 1040) (i32.const 6))";
    let digest = world.store(&guest(import, run));
    let running = attempt(&digest, Grant::default(), "{}");
    assert_eq!(world.sandbox.run(running.clone()).await.outcome, AttemptOutcome::Completed(json!("done")));
    running.cancel.raise();
    assert_eq!(world.sandbox.run(running).await.outcome, AttemptOutcome::Cancelled);
}

#[tokio::test]
async fn a_guest_cannot_cancel_by_itself() {
    let world = World::new();
    let cancelled = guest("", "(call $failed (i32.const 2) (i32.const 0) (i32.const 0))");
    let failure = failure(world.run(&cancelled, "{}").await);
    assert_eq!((failure.kind, failure.problem.code.as_str()), (FailureKind::Permanent, "cancelled"));
}

#[tokio::test]
async fn the_context_tells_the_attempt() {
    let world = World::new();
    let import = r#"(import "quantum:context/context@1.0.0" "config" (func $ask (param i32)))"#;
    let run =
        "(call $ask (i32.const 4096)) (call $ok (i32.load (i32.const 4096)) (i32.load (i32.const 4100)))";
    let config = json!({ "colour": "blue" });
    assert_eq!(world.run(&guest(import, run), "{}").await.outcome, AttemptOutcome::Completed(config));

    let import = r#"(import "quantum:context/context@1.0.0" "attempt" (func $ask (result i32)))"#;
    let run = "(call $ok (call $digits (i32.add (i32.const 100) (call $ask))) (i32.const 3))";
    assert_eq!(world.run(&guest(import, run), "{}").await.outcome, AttemptOutcome::Completed(json!(102)));

    let import = r#"(import "quantum:context/context@1.0.0" "deadline" (func $ask (param i32)))"#;
    let run = "(call $ask (i32.const 4096))
               (call $ok (call $digits (i32.wrap_i64 (i64.rem_u (i64.load (i32.const 4104)) (i64.const 1000))))
                   (i32.const 3))";
    assert_eq!(world.run(&guest(import, run), "{}").await.outcome, AttemptOutcome::Completed(json!(123)));
}

#[tokio::test]
async fn log_lines_progress_and_output_reach_the_step_log() {
    let world = World::new();
    let imports = r#"
        (import "quantum:log/log@1.0.0" "write" (func $write (param i32 i32 i32 i32 i32)))
        (import "quantum:log/log@1.0.0" "progress" (func $progress (param i32 i32 i32)))
        (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
            (func $print (param i32 i32 i32 i32)))"#;
    let run = r#"
        (i32.store (i32.const 4096) (i32.const 1088))
        (i32.store (i32.const 4100) (i32.const 4))
        (i32.store (i32.const 4104) (i32.const 1136))
        (i32.store (i32.const 4108) (i32.const 8))
        (call $write (i32.const 3) (i32.const 1056) (i32.const 4) (i32.const 4096) (i32.const 1))
        (call $progress (i32.const 200) (i32.const 1056) (i32.const 4))
        (local.set $i (call $stdout))
        (call $print (local.get $i) (i32.const 1120) (i32.const 5) (i32.const 4096))
        (call $print (local.get $i) (i32.const 1120) (i32.const 3) (i32.const 4096))
        (call $ok (i32.const 1040) (i32.const 6))"#;
    assert_eq!(world.run(&guest(imports, run), "{}").await.outcome, AttemptOutcome::Completed(json!("done")));
    assert_eq!(world.log(), [r#"warn boom {"http":{"at":1}}"#, "100% boom", "info line", "info lin"]);
}

#[tokio::test]
async fn the_seed_of_hash_maps_is_the_same_in_the_same_attempt() {
    let world = World::new();
    let import = r#"(import "wasi:random/insecure-seed@0.2.12" "insecure-seed" (func $seed (param i32)))"#;
    let run = "(call $seed (i32.const 4096))
               (call $ok (call $digits (i32.add (i32.const 100) (i32.load8_u (i32.const 4096)))) (i32.const 3))";
    let digest = world.store(&guest(import, run));
    let mut seeds = Vec::new();
    for number in [1, 1, 2] {
        let mut attempt = attempt(&digest, Grant::default(), "{}");
        attempt.number = number;
        seeds.push(world.sandbox.run(attempt).await.outcome);
    }
    assert!(matches!(seeds[0], AttemptOutcome::Completed(_)), "{seeds:?}");
    assert_eq!(seeds[0], seeds[1]);
    assert_ne!(seeds[0], seeds[2]);
}

#[tokio::test]
async fn a_grant_raises_the_memory_up_to_the_operators_limit() {
    let world = World::with(SandboxOptions { memory_bytes_ceiling: 96 << 20, ..options() });
    let run = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
               (call $ok (i32.const 1040) (i32.const 6))";
    for (asked, mib) in [(None, 64), (Some(80 << 20), 80), (Some(4 << 30), 96)] {
        let grant = Grant { memory_bytes_max: asked, ..Grant::default() };
        let report = world.run_granted(&guest("", run), grant, "{}").await;
        assert_eq!(report.outcome, AttemptOutcome::Completed(json!("done")));
        assert_eq!(report.bill.memory_bytes_peak >> 20, mib - 1, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_attempts_leave_no_instance_behind() {
    let world = World::new();
    let digest = world.sandbox.install(echo()).await.unwrap();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        running.spawn(world.sandbox.run(attempt(&digest, Grant::default(), &n.to_string())));
    }
    let mut sum = 0;
    while let Some(report) = running.join_next().await {
        let AttemptOutcome::Completed(value) = report.unwrap().outcome else { panic!("a failed attempt") };
        sum += value.as_u64().unwrap();
    }
    assert_eq!(sum, 999 * 1_000 / 2);
    assert!(matches!(world.sandbox.instances(), None | Some(0)));
}
