//! What is on the bill of an attempt: the host's work for it too, and also when nobody waits for its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quantum_core::manifest::SecretPlace::{Body, Header};
use quantum_core::port::{AttemptOutcome, FailureKind, Grant, StepRunner};
use quantum_sandbox::SandboxOptions;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::guests::{guest, http};
use crate::recorder::Recorder;
use crate::script::{everything, told};
use crate::server::Server;
use crate::world::{World, attempt, failure, hosts, options};

/// Milliseconds of a decision here, and the most that an attempt may use where it is to be stopped.
const WORK_MS: u64 = 150;
const CPU_MS_MAX: u64 = 100;

/// Uses so much of this thread's processor time.
fn work() {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        u64::try_from(now.tv_sec).unwrap() * 1_000 + u64::try_from(now.tv_nsec).unwrap() / 1_000_000
    };
    // One more: the clock is cut to milliseconds.
    let end = now() + WORK_MS + 1;
    while now() < end {}
}

fn limited() -> World {
    World::with(SandboxOptions { cpu_ms_max: CPU_MS_MAX, ..options() })
}

async fn server() -> Server {
    Server::start(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()).await
}

fn asking(server: &Server) -> (Grant, String) {
    (hosts(&["*"]), format!("0127.0.0.1:{}", server.port))
}

#[tokio::test]
async fn decisions_about_requests_are_on_the_bill() {
    let (world, server) = (World::new(), server().await);
    *world.gate.decide.lock().unwrap() = Box::new(|_| {
        work();
        true
    });
    let (grant, parameters) = asking(&server);
    let report = world.run_granted(&http(), grant, &parameters).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!(200)));
    assert!(report.bill.cpu_us >= WORK_MS * 1_000, "{:?}", report.bill);
}

#[tokio::test]
async fn a_guest_that_lets_the_host_work_too_long_is_stopped() {
    let (world, server) = (limited(), server().await);
    *world.gate.decide.lock().unwrap() = Box::new(|_| {
        work();
        true
    });
    let (grant, parameters) = asking(&server);
    let failure = failure(world.run_granted(&http(), grant, &parameters).await);
    assert_eq!((failure.kind, failure.problem.code.as_str()), (FailureKind::CpuLimit, "cpu-limit"));
    assert_eq!(failure.problem.message, "the plugin used more than its 100 ms of processor time");
    *world.gate.decide.lock().unwrap() = Box::new(|_| true);
    world.is_well().await;
}

/// From the `from`th decision about a secret on, each takes long.
fn works_from(world: &World, from: u64) -> Arc<AtomicU64> {
    let asked = Arc::new(AtomicU64::new(0));
    let counted = asked.clone();
    *world.gate.decide_secret.lock().unwrap() = Box::new(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) >= from {
            work();
        }
        true
    });
    asked
}

#[tokio::test]
async fn decisions_about_secrets_are_on_the_bill_and_within_the_limit() {
    for (world, expected) in [(World::new(), "null"), (limited(), "cpu-limit")] {
        world.secrets.keep("TOKEN", "value", &["*"]);
        works_from(&world, 0);
        let report = world.script(everything(&["*"], &[Header]), &["pTOKEN", "0", "+null"]).await;
        assert!(told(&report).starts_with(expected), "{report:?}");
        assert!(report.bill.cpu_us >= WORK_MS * 1_000, "{:?}", report.bill);
    }
}

#[tokio::test]
async fn a_body_that_is_filled_while_it_is_sent_is_on_the_bill() {
    for (world, expected) in [(World::new(), "\"200ok\""), (limited(), "cpu-limit: the plugin used")] {
        let server = Recorder::start().await;
        world.secrets.keep("TOKEN", "value", &["*"]);
        // The first decision is about the placeholder, the second about putting the value in.
        let asked = works_from(&world, 1);
        let authority = server.authority();
        let lines = [&authority, "MPOST", "O", ">", "+token=", "pTOKEN", "C", ".", "+\"", "<", "+\""];
        let report = world.script(everything(&["*"], &[Body]), &lines).await;
        assert!(told(&report).starts_with(expected), "{}", told(&report));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(report.bill.cpu_us >= WORK_MS * 1_000, "{:?}", report.bill);
    }
}

#[tokio::test]
async fn each_call_into_the_host_is_counted_once_whatever_comes_of_it() {
    let done = "(call $ok (i32.const 1040) (i32.const 6))";
    for (import, call) in [
        (
            r#"(import "quantum:context/context@1.0.0" "attempt" (func $ask (result i32)))"#,
            "(drop (call $ask))",
        ),
        (
            r#"(import "wasi:random/insecure-seed@0.2.12" "insecure-seed" (func $ask (param i32)))"#,
            "(call $ask (i32.const 4096))",
        ),
        (r#"(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $ask (result i32)))"#, "(drop (call $ask))"),
        (
            r#"(import "wasi:http/types@0.2.12" "[constructor]fields" (func $ask (result i32)))"#,
            "(drop (call $ask))",
        ),
        // Denied.
        (
            r#"(import "wasi:clocks/wall-clock@0.2.12" "now" (func $ask (param i32)))"#,
            "(call $ask (i32.const 4096))",
        ),
        (
            r#"(import "wasi:random/random@0.2.12" "get-random-u64" (func $ask (result i64)))"#,
            "(drop (call $ask))",
        ),
        (
            r#"(import "quantum:kv/kv@1.0.0" "delete" (func $ask (param i32 i32 i32)))"#,
            "(call $ask (i32.const 1088) (i32.const 4) (i32.const 4096))",
        ),
    ] {
        let report = World::new().run(&guest(import, &format!("{call} {done}")), "{}").await;
        assert_eq!(report.bill.host_calls, 1, "{import}");
    }
    let imports = r#"
        (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.12" "[resource-drop]fields" (func $drop (param i32)))"#;
    let report =
        World::new().run(&guest(imports, &format!("(call $drop (call $fields)) {done}")), "{}").await;
    assert_eq!(report.bill.host_calls, 2, "the drop of a handle is a call");
}

#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_its_bill() {
    let world = World::new();
    let imports = r#"
        (import "quantum:context/context@1.0.0" "cancelled" (func $cancelled (result i32)))
        (import "quantum:log/log@1.0.0" "progress" (func $progress (param i32 i32 i32)))"#;
    let waits = "
        (drop (memory.grow (i32.const 6)))
        (call $progress (i32.const 1) (i32.const 1056) (i32.const 4))
        (loop $wait (br_if $wait (i32.eqz (call $cancelled))))
        (unreachable)";
    let digest = world.sandbox.install(guest(imports, waits)).await.unwrap();
    let attempt = attempt(&digest, Grant::default(), "{}");
    let bill = attempt.bill.clone();
    let running = world.sandbox.run(attempt);
    tokio::select! {
        report = running => panic!("{report:?}"),
        () = begun(&world) => {}
    }
    let bill = bill.read();
    assert_eq!(bill.memory_bytes_peak >> 16, 8, "pages");
    assert!(bill.cpu_us > 0 && bill.wall_us > 0 && bill.host_calls > 0, "{bill:?}");
    world.is_well().await;
}

/// Returns when the guest has written something.
async fn begun(world: &World) {
    while world.log().is_empty() {
        tokio::task::yield_now().await;
    }
}
