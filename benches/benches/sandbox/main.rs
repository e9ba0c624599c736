//! What the sandbox costs: one attempt beside a bare call of the same component, an install that compiles, and memory
//! after ten thousand attempts.
//!
//! The component is the packed plugin `hello`; a checkout where nothing is packed measures one that gives its
//! parameters back. A figure over its bound ends the run with exit code 1. Without `--bench`, as `cargo test` calls it,
//! everything runs small and nothing is held against a bound.

mod attempt;
mod bare;
mod component;
mod growth;
mod install;
mod large;
mod options;
mod overhead;
#[path = "../fixture/sandboxed.rs"]
mod sandboxed;

use std::process::ExitCode;

use clap::Parser;
use quantum_benches::report::{Figure, Judged};
use quantum_benches::run::{Run, parts};

use component::Component;
use options::{Options, Part, Sizes};

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (judged, component) = (Run::judged(), component::load());
    if judged == Judged::No {
        measure(&component, parts(&[]), &Sizes::SMALL, judged);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    measure(&component, parts(&options.parts), &Sizes::FULL, judged).end("sandbox", &options.run)
}

fn measure(component: &Component, parts: &[Part], sizes: &Sizes, judged: Judged) -> Run {
    let mut run = Run::begin(judged);
    for part in parts {
        run.add(figures(*part, component, sizes));
    }
    run
}

fn figures(part: Part, component: &Component, sizes: &Sizes) -> Vec<Figure> {
    match part {
        Part::Overhead => overhead::measure(component, sizes),
        Part::Install => install::measure(component, sizes),
        Part::Growth => growth::measure(component, sizes),
    }
}
