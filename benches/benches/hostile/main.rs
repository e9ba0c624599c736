//! What attacks cost others: attempts of a neighbour beside each hostile plugin at work, over the same alone, and the
//! memory of the process after many attacks.
//!
//! Each figure is a ratio or a bound within one run on one machine. A figure over its bound ends the run with exit
//! code 1. Without `--bench`, as `cargo test` calls it, everything runs small and nothing is held against a bound.

mod attack;
mod beside;
#[path = "../sandbox/component.rs"]
mod component;
mod growth;
mod options;
#[path = "../fixture/sandboxed.rs"]
mod sandboxed;
mod stage;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use quantum_benches::report::{Figure, Judged};
use quantum_benches::run::{Run, parts};

use options::{Options, Part, Sizes};
use stage::Stage;

/// The host's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let judged = Run::judged();
    let Some(hostile) = component::packed("hostile/hostile.wasm") else {
        eprintln!("the hostile plugin is not packed; run: cargo xtask plugins");
        return if judged == Judged::Yes { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    if judged == Judged::No {
        measure(hostile, parts(&[]), &Sizes::SMALL, judged);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    measure(hostile, parts(&options.parts), &Sizes::FULL, judged).end("hostile", &options.run)
}

fn measure(hostile: Vec<u8>, parts: &[Part], sizes: &'static Sizes, judged: Judged) -> Run {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut run = Run::begin(judged);
    let stage = Arc::new(runtime.block_on(Stage::new(hostile)));
    for part in parts {
        // Where the engine lives, too: an attempt is not handed to another thread only to be told of by it.
        let measuring = runtime.spawn(figures(*part, sizes, Arc::clone(&stage)));
        run.add(runtime.block_on(measuring).expect("it does not panic"));
    }
    run
}

async fn figures(part: Part, sizes: &'static Sizes, stage: Arc<Stage>) -> Vec<Figure> {
    match part {
        Part::Beside => beside::measure(sizes, &stage).await,
        Part::Growth => growth::measure(sizes, &stage).await,
    }
}
