//! What has to hold as numbers grow: commits and flushes of an execution, memory and timers of those that wait, a start
//! with many that were running, long lists, and a store that is full of the past.
//!
//! Each figure is a ratio or a bound within one run on one machine. A figure over its bound ends the run with exit
//! code 1. Without `--bench`, as `cargo test` calls it, everything runs small and nothing is held against a bound.

mod allocations;
mod commits;
#[path = "../fixture/mod.rs"]
mod fixture;
mod for_each;
mod history;
#[path = "../fixture/middle.rs"]
mod middle;
mod options;
mod recovery;
mod waiting;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use fixture::{folder, runtime};
use options::{Options, Part, Sizes};
use quantum_benches::report::{Figure, Judged, Report};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    // What else `cargo test` passes on is for test harnesses.
    if !std::env::args().any(|argument| argument == "--bench") {
        measure(&Part::ALL, &Sizes::SMALL, Judged::No);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    let report = measure(options.parts(), &options.sizes(), Judged::Yes);
    if let Err(error) = report.write(&options.json()) {
        eprintln!("error: failed to write {}: {error}", options.json().display());
        return ExitCode::FAILURE;
    }
    println!("the figures as JSON: {}", options.json().display());
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the figures part by part, since all of them take minutes.
fn measure(parts: &[Part], sizes: &Sizes, judged: Judged) -> Report {
    let runtime = runtime();
    let mut report = Report::default();
    println!("{}", report.head());
    for part in parts {
        let folder = folder();
        for figure in runtime.block_on(figures(*part, sizes, folder.path())) {
            println!("{}", figure.row(judged));
            report.figures.push(figure);
        }
    }
    report
}

async fn figures(part: Part, sizes: &Sizes, folder: &Path) -> Vec<Figure> {
    match part {
        Part::Commits => commits::measure(sizes, folder).await,
        Part::Waiting => waiting::measure(sizes, folder).await,
        Part::Recovery => recovery::measure(sizes, folder).await,
        Part::ForEach => for_each::measure(sizes, folder).await,
        Part::History => history::measure(sizes, folder).await,
    }
}
