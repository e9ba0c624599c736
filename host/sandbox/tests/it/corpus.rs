//! The hostile plugins of `plugins/hostile` that need what a whole host does not have: names whose addresses change, a
//! short budget of processor time, components made larger. `host/server/tests/it/corpus.rs` does the others.

use std::fs;
use std::path::Path;

use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_core::port::{AttemptOutcome, AttemptReport, FailureKind, StepRunner};
use quantum_sandbox::SandboxOptions;
use serde_json::json;

use crate::guests::{self, component, echo};
use crate::heavy::heavier;
use crate::resolution::{Answers, world};
use crate::server::{Server, answer};
use crate::world::{World, attempt_of, failure, hosts, options};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/hostile");

/// What README.md says of a component whose place is this package: code and message.
fn said(component: &str) -> (String, String) {
    let text = fs::read_to_string(Path::new(FOLDER).join("README.md")).unwrap();
    let begin = format!("| `{component}` |");
    let row = text.lines().find(|line| line.starts_with(&begin)).unwrap();
    let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
    assert_eq!(cells[2], "sandbox", "{row}");
    (cells[3].to_owned(), cells[4].to_owned())
}

fn file(name: &str) -> Vec<u8> {
    component(guests::WORLD, &fs::read_to_string(Path::new(FOLDER).join(name)).unwrap())
}

#[tokio::test]
async fn a_name_that_moves_to_the_metadata_address_is_denied_there() {
    let server = Server::start(answer("200 OK", "x")).await;
    let resolver = Answers::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let world = world(&resolver);
    let authority = format!("rebind.example:{}", server.port);
    let denied =
        failure(world.run_granted(&file("wat/rebinding.wat"), hosts(&["*"]), &authority).await).problem;
    let message = denied.message.replace(&format!(":{}", server.port), ":{port}");
    assert_eq!((denied.code, message), said("wat/rebinding.wat"));
    assert_eq!(server.requests(), 1);
    world.is_well().await;
}

#[tokio::test]
async fn a_component_that_is_too_large_is_not_looked_at() {
    let world = World::new();
    let mut component = echo();
    component.resize(COMPONENT_BYTES_MAX + 1, 0);
    let refused = world.sandbox.install(component).await.unwrap_err().to_string();
    assert_eq!(("invalid-plugin".to_owned(), refused), said("oversize"));
    world.is_well().await;
}

#[tokio::test]
async fn a_component_of_more_parts_than_the_pool_has_is_not_taken_in() {
    for (name, module, times) in [
        ("many-instances", "(module)", 300),
        ("many-memories", "(module (memory 1))", 20),
        ("many-tables", "(module (table 1 funcref))", 100),
    ] {
        let world = World::new();
        let refused = world.sandbox.install(heavier(&echo(), module, times)).await;
        assert_eq!(("invalid-plugin".to_owned(), refused.unwrap_err().to_string()), said(name));
        world.is_well().await;
    }
}

/// Wherever a guest's code runs, it is on an engine whose clock ticks: else this test does not end.
#[tokio::test]
async fn a_guest_that_spins_is_stopped_wherever_it_does_while_a_neighbour_works() {
    let world = World::with(SandboxOptions { cpu_ms_max: 100, ..options() });
    let neighbour = world.store(&echo());
    let run = guests::guest("", "(loop (br 0)) (unreachable)");
    for spin in [
        run,
        file("wat/spin-in-start.wat"),
        file("wat/spin-in-realloc.wat"),
        file("wat/spin-in-post-return.wat"),
    ] {
        let spin = world.store(&spin);
        let harm = world.sandbox.run(attempt_of("tenant-1", &spin, hosts(&[]), "{}"));
        let beside = world.sandbox.run(attempt_of("tenant-2", &neighbour, hosts(&[]), "7"));
        let (harm, beside) = tokio::join!(harm, beside);
        assert_eq!(beside.outcome, AttemptOutcome::Completed(json!(7)));
        is_stopped(harm);
    }
    world.is_well().await;
}

#[track_caller]
fn is_stopped(report: AttemptReport) {
    let failure = failure(report);
    let message = "the plugin used more than its 100 ms of processor time";
    assert_eq!((failure.kind, failure.problem.message.as_str()), (FailureKind::CpuLimit, message));
}

#[tokio::test]
async fn a_build_that_spins_when_it_is_asked_for_its_manifest_is_stopped() {
    let world = World::with(SandboxOptions { cpu_ms_max: 100, ..options() });
    let describing = "package test:guest; world guest { include quantum:plugin/plugin@1.0.0;
        export quantum:plugin/describe@1.0.0; }";
    let describe = "(func (export \"quantum:plugin/describe@1.0.0#manifest\") (result i32)
        (loop $more (br $more)) (unreachable)) (func $inner";
    let module = guests::module("", "(unreachable)").replace("(func $inner", describe);
    let told = world.sandbox.describe(component(describing, &module)).await.unwrap_err().to_string();
    assert!(told.starts_with("ask the component for its manifest: "), "{told}");
    world.is_well().await;
}
