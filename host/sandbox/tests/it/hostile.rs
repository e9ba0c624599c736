//! Guests that do harm: each gets exactly its error, and a neighbour does not notice.

use quantum_core::port::{Attempt, FailureKind, Grant, StepRunner};
use quantum_sandbox::SandboxOptions;
use serde_json::json;

use crate::guests::guest;
use crate::world::{World, attempt, failure, options};

#[tokio::test]
async fn a_trap_names_the_instruction_and_the_functions() {
    let world = World::new();
    let trap = guest("", "(call $inner) (unreachable)");
    let message = "the plugin trapped: wasm `unreachable` instruction executed";
    let failure = world.fails(&trap, FailureKind::Trap, "trap", message).await;
    let names = json!({ "backtrace": ["inner", "run"] });
    assert_eq!(failure.problem.details, Some(names));
}

#[tokio::test]
async fn a_panic_is_told_by_its_message_and_place() {
    let world = World::new();
    let import = r#"(import "quantum:log/log@1.0.0" "panicked" (func $panicked (param i32 i32 i32 i32)))"#;
    let run = "(call $panicked (i32.const 1056) (i32.const 4) (i32.const 1072) (i32.const 14)) (unreachable)";
    let message = "the plugin panicked at src/lib.rs:3:5: boom";
    world.fails(&guest(import, run), FailureKind::Trap, "trap", message).await;
}

#[tokio::test]
async fn a_guest_that_spins_is_stopped_at_its_processor_time() {
    let world = World::with(SandboxOptions { cpu_ms_max: 50, ..options() });
    let spin = guest("", "(loop (br 0)) (unreachable)");
    let message = "the plugin used more than its 50 ms of processor time";
    world.fails(&spin, FailureKind::CpuLimit, "cpu-limit", message).await;
}

#[tokio::test]
async fn a_guest_that_spins_is_stopped_at_its_timeout_and_lets_others_run() {
    let world = World::new();
    let spin = world.store(&guest("", "(loop (br 0)) (unreachable)"));
    world.sandbox.prepare(&spin).await.unwrap();
    let mut attempt = attempt(&spin, Default::default(), "{}");
    attempt.timeout_ms = 200;
    let (report, ()) = tokio::join!(world.sandbox.run(attempt), async {
        let report = world.run(&crate::guests::echo(), "1").await;
        assert!(!matches!(report.outcome, quantum_core::port::AttemptOutcome::Failed(_)));
    });
    assert!(report.bill.cpu_us > 0, "{:?}", report.bill);
    let failure = failure(report);
    assert_eq!((failure.kind, failure.problem.code.as_str()), (FailureKind::Timeout, "timeout"));
    let message = "the attempt did not end within 200 ms; give the step a longer `timeout` if it needs one";
    assert_eq!(failure.problem.message, message);
    world.is_well().await;
}

#[tokio::test]
async fn a_guest_that_eats_memory_is_refused_and_told_apart_from_other_traps() {
    let world = World::new();
    let run = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let message = "the plugin asked for more than its 64 MiB of memory; a plugin that needs more says so by \
                   `memory_bytes_max` in its manifest";
    world.fails(&guest("", run), FailureKind::MemoryLimit, "memory-limit", message).await;
    let report = world.run(&guest("", run), "{}").await;
    assert!(report.bill.memory_bytes_peak > 60 << 20 && report.bill.memory_bytes_peak <= 64 << 20);
}

#[tokio::test]
async fn a_tenants_own_bound_of_memory_holds_where_it_is_the_smallest() {
    let world = World::new();
    let run = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let component = world.store(&guest("", run));
    for (bound, most) in [(2 << 20, 2 << 20), (1 << 40, 64 << 20)] {
        let bounded = attempt(&component, Grant::default(), "{}");
        let report = world.sandbox.run(Attempt { memory_bytes_max: Some(bound), ..bounded }).await;
        let peak = report.bill.memory_bytes_peak;
        assert!(peak > most / 2 && peak <= most, "{peak} of {most}");
        assert_eq!(failure(report).kind, FailureKind::MemoryLimit);
    }
}

#[tokio::test]
async fn tables_count_as_memory() {
    let world = World::with(SandboxOptions { memory_bytes_default: 1 << 20, ..options() });
    let run = "(loop $more
                   (table.grow $table (ref.null func) (i32.const 1000000))
                   (br_if $more (i32.ne (i32.const -1))))
               (unreachable)";
    let message = "the plugin asked for more than its 1 MiB of memory; a plugin that needs more says so by \
                   `memory_bytes_max` in its manifest";
    world.fails(&guest("", run), FailureKind::MemoryLimit, "memory-limit", message).await;
}

#[tokio::test]
async fn endless_recursion_is_a_trap() {
    let world = World::new();
    let message = "the plugin trapped: call stack exhausted";
    let deep = guest("", "(call $deeper (i32.const 0))");
    let failure = world.fails(&deep, FailureKind::Trap, "trap", message).await;
    assert_eq!(failure.problem.details.unwrap()["backtrace"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_result_that_is_too_large_is_not_kept() {
    let world = World::new();
    let message = "the result has 2097152 bytes, at most 1048576 are kept; pass large data as artifacts";
    let large = guest("", "(drop (memory.grow (i32.const 64))) (call $ok (i32.const 0) (i32.const 2097152))");
    world.fails(&large, FailureKind::OutputLimit, "output-too-large", message).await;

    let message =
        "the result has more than 16777216 bytes, at most 1048576 are kept; pass large data as artifacts";
    let larger =
        guest("", "(drop (memory.grow (i32.const 320))) (call $ok (i32.const 0) (i32.const 17825792))");
    world.fails(&larger, FailureKind::OutputLimit, "output-too-large", message).await;
}

#[tokio::test]
async fn a_result_that_is_not_json_is_refused() {
    let world = World::new();
    let message = "the result is not JSON: key must be a string at line 1 column 2";
    let invalid = guest("", "(call $ok (i32.const 1024) (i32.const 5))");
    world.fails(&invalid, FailureKind::InvalidOutput, "invalid-output", message).await;
}

#[tokio::test]
async fn exit_is_a_failure_of_the_plugin() {
    let world = World::new();
    let import = r#"(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))"#;
    let message = "the plugin called exit, with an error, instead of returning a result";
    let exit = guest(import, "(call $exit (i32.const 1)) (unreachable)");
    world.fails(&exit, FailureKind::Permanent, "exit", message).await;
}

#[tokio::test]
async fn a_clock_without_a_grant_is_denied_with_the_words_that_allow_it() {
    let world = World::new();
    let import = r#"(import "wasi:clocks/wall-clock@0.2.12" "now" (func $now (param i32)))"#;
    let run = "(call $now (i32.const 4096)) (call $ok (i32.const 1040) (i32.const 6))";
    let message = "the plugin used the capability \"clock\" without a grant; allow it with: \"clock\": true under \
                   \"capabilities\" of the plugin's manifest; then install the plugin again";
    let failure = world.fails(&guest(import, run), FailureKind::Denied, "effect-denied", message).await;
    let line = "\"clock\": true under \"capabilities\" of the plugin's manifest";
    let details = json!({ "rule": "capability:clock", "capability": "clock", "allow_with": line });
    assert_eq!(failure.problem.details, Some(details));
    let grant = quantum_core::port::Grant {
        capabilities: vec![quantum_core::vocabulary::Capability::Clock],
        ..Default::default()
    };
    let report = world.run_granted(&guest(import, run), grant, "{}").await;
    assert_eq!(report.outcome, quantum_core::port::AttemptOutcome::Completed(json!("done")));
}

#[tokio::test]
async fn a_guest_that_hoards_handles_is_trapped() {
    let world = World::new();
    let import = r#"(import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))"#;
    let hoard = guest(import, "(loop $more (drop (call $fields)) (br $more)) (unreachable)");
    let message = "the plugin trapped: resource table has no free keys";
    world.fails(&hoard, FailureKind::Trap, "trap", message).await;
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut() {
    let world = World::new();
    let import = r#"(import "quantum:log/log@1.0.0" "write" (func $write (param i32 i32 i32 i32 i32)))"#;
    let run = "(loop $more
                   (call $write (i32.const 2) (i32.const 1056) (i32.const 4) (i32.const 0) (i32.const 0))
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (br_if $more (i32.lt_u (local.get $i) (i32.const 5000))))
               (call $ok (i32.const 1040) (i32.const 6))";
    let report = world.run(&guest(import, run), "{}").await;
    assert_eq!(report.bill.host_calls, 5_000);
    let log = world.log();
    assert_eq!(log.len(), 1_001);
    assert_eq!(log[999], "info boom");
    assert_eq!(log[1_000], "warn more lines are dropped: an attempt keeps 1000 lines and 262144 bytes");
}
