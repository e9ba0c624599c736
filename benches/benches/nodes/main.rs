//! What PostgreSQL and several nodes cost: executions beside those of SQLite, a second node, the way of news between
//! nodes, a take-over, row-level security, and claims.
//!
//! Each figure is a ratio or a bound within one run on one machine, with a PostgreSQL of its own that syncs as in
//! production. A figure over its bound ends the run with exit code 1. Without `--bench`, as `cargo test` calls it,
//! everything runs small and nothing is held against a bound.

mod claims;
mod cluster;
#[path = "../fixture/mod.rs"]
mod fixture;
#[path = "../fixture/middle.rs"]
mod middle;
mod options;
mod reads;
mod takeover;
mod throughput;
mod wakeup;

use std::process::ExitCode;

use clap::Parser;
use quantum_benches::report::{Figure, Judged};
use quantum_benches::run::{Run, parts};

use cluster::Cluster;
use fixture::runtime;
use options::{Options, Part, Sizes};

fn main() -> ExitCode {
    let judged = Run::judged();
    let Some(cluster) = Cluster::start() else {
        return if judged == Judged::Yes { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    if judged == Judged::No {
        measure(&cluster, parts(&[]), &Sizes::SMALL, judged);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    measure(&cluster, parts(&options.parts), &Sizes::FULL, judged).end("nodes", &options.run)
}

fn measure(cluster: &Cluster, parts: &[Part], sizes: &Sizes, judged: Judged) -> Run {
    let (runtime, mut run) = (runtime(), Run::begin(judged));
    for part in parts {
        run.add(runtime.block_on(figures(*part, sizes, cluster)));
    }
    run
}

async fn figures(part: Part, sizes: &Sizes, cluster: &Cluster) -> Vec<Figure> {
    match part {
        Part::Throughput => throughput::measure(sizes, cluster).await,
        Part::Wakeup => wakeup::measure(sizes, cluster).await,
        Part::Takeover => takeover::measure(sizes, cluster).await,
        Part::Reads => reads::measure(sizes, cluster).await,
        Part::Claims => claims::measure(sizes, cluster).await,
    }
}
