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
use quantum_benches::report::{Figure, Judged};
use quantum_benches::run::{Run, parts};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    let judged = Run::judged();
    if judged == Judged::No {
        measure(parts(&[]), &Sizes::SMALL, judged);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    measure(parts(&options.parts), &options.sizes(), judged).end("scale", &options.run)
}

fn measure(parts: &[Part], sizes: &Sizes, judged: Judged) -> Run {
    let (runtime, mut run) = (runtime(), Run::begin(judged));
    for part in parts {
        let folder = folder();
        run.add(runtime.block_on(figures(*part, sizes, folder.path())));
    }
    run
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
