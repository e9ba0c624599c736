//! `cargo xtask test`: everything that must hold before a change is good, and what CI runs.

use std::time::Duration;

use quantum_testing::Postgres;

use crate::artifacts::{self, Artifacts, Profile};
use crate::error::Result;
use crate::shell::{self, Phases};
use crate::skipped::Skipped;
use crate::{chaos, codegen, languages, tools, workspace};

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    Full,
    /// Leaves out clippy, fmt, the sandbox cases, chaos, the generated files and the fuzz targets, and tries fewer random
    /// cases.
    Quick,
}

const BUILD: &str = "the host, every library, test and bench, so that later phases compile nothing twice";
/// Its phase.
const CHAOS_NODES: &str = "chaos --nodes";
const TESTS: &str = "unit, integration and documentation tests of all packages; tidy is one of them";
/// Of load and faults. Longer runs find more: `cargo xtask chaos --minutes 30`.
const CHAOS_LASTS: Duration = Duration::from_secs(120);
const CHAOS_SEED: u64 = 20_260_101;
const NODES: usize = 3;
const NODES_SEED: u64 = 5;
const LEFT_OUT: &str = "`cargo xtask test` without --quick runs it";

pub fn run(depth: Depth) -> Result<()> {
    let mut phases = Phases::default();
    if !prepare(&mut phases) {
        return phases.finish();
    }
    languages::prepare(&mut phases);
    let artifacts = Artifacts::of(Profile::Dev)?;
    let skipped = Skipped::empty()?;
    phases.run("tests", TESTS, || tests(depth, &skipped));
    if let Some(told) = skipped.told()? {
        phases.note(told);
    }
    let rest: [Later; 7] = [
        (
            "sandbox cases",
            "the cases of each plugin that ships, in the real sandbox",
            artifacts::test_plugins,
        ),
        ("chaos", "a host that is killed, stopped and starved under load keeps its promises", rehearse),
        (CHAOS_NODES, "so do three on one PostgreSQL, which is hurt too, and their network", rehearse_nodes),
        ("clippy", "lints; a warning is a failure", |_| clippy()),
        ("fmt", "the shape of the code", |_| fmt()),
        ("codegen", "generated files are what the code says", |built| codegen::check(built)),
        ("fuzz", "the targets of cargo-fuzz, without the fuzzer, compile", |_| fuzz()),
    ];
    for (name, about, work) in rest {
        match missing(name, depth) {
            Some(reason) => phases.leave_out(name, reason),
            None => _ = phases.run(name, about, || work(&artifacts)),
        }
    }
    phases.finish()
}

/// A phase after the tests: name, what it is, work.
type Later = (&'static str, &'static str, fn(&Artifacts) -> Result<()>);

/// What everything else stands on; false: nothing more can run.
fn prepare(phases: &mut Phases) -> bool {
    phases.run("prerequisites", "a C compiler and the plugins' target", tools::prepare)
        && phases
            .run("build", BUILD, || shell::run(&mut shell::cargo(&["build", "--workspace", "--all-targets"])))
        && phases.run("plugins", "pack the plugins that ship, and the one that means harm", || {
            let artifacts = Artifacts::of(Profile::Dev)?;
            artifacts::pack_plugins(&artifacts).and_then(|()| artifacts::pack_hostile(&artifacts))
        })
}

fn missing(name: &'static str, depth: Depth) -> Option<String> {
    if depth == Depth::Quick {
        return Some(LEFT_OUT.to_owned());
    }
    let is_required = std::env::var_os("CI").is_some_and(|value| value == "true");
    if name == CHAOS_NODES
        && !is_required
        && let Err(missing) = Postgres::look()
    {
        return Some(missing.to_string());
    }
    let absent = matches!(name, "clippy" | "fmt") && !tools::has_component(name);
    let component = if name == "fmt" { "rustfmt" } else { name };
    absent.then(|| format!("not installed: rustup component add {component}"))
}

fn tests(depth: Depth, skipped: &Skipped) -> Result<()> {
    let mut command = shell::cargo(&["test", "--workspace", "--no-fail-fast"]);
    skipped.collect(&mut command);
    if depth == Depth::Quick {
        command.env("PROPTEST_CASES", "16");
    }
    shell::run(&mut command)
}

/// The same intents and faults in every run of this task, so that a failure is more likely to be the change's.
fn rehearse(built: &Artifacts) -> Result<()> {
    chaos::run_on(built, &chaos::Options::new(CHAOS_LASTS, CHAOS_SEED))
}

/// The same with several nodes.
fn rehearse_nodes(built: &Artifacts) -> Result<()> {
    let options = chaos::Options::new(CHAOS_LASTS, NODES_SEED);
    chaos::run_on(built, &chaos::Options { nodes: Some(NODES), ..options })
}

fn clippy() -> Result<()> {
    shell::run(&mut shell::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn fmt() -> Result<()> {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))
}

/// A workspace of its own, beside what clippy has looked at already: most of it is the same. The fuzzer itself needs another
/// compiler than this one, and a compiler of C++.
fn fuzz() -> Result<()> {
    let check = ["check", "--manifest-path", "fuzz/Cargo.toml", "--locked", "--no-default-features"];
    shell::run(shell::cargo(&check).arg("--target-dir").arg(workspace::target_dir()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_says_what_it_left_out() {
        assert_eq!(missing("clippy", Depth::Quick).as_deref(), Some(LEFT_OUT));
        assert_eq!(missing("codegen", Depth::Full), None);
    }
}
