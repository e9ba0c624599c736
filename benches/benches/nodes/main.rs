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
use quantum_benches::report::{Figure, Judged, Report};

use cluster::Cluster;
use fixture::runtime;
use options::{Options, Part, Sizes};

fn main() -> ExitCode {
    // What else `cargo test` passes on is for test harnesses.
    let judged =
        if std::env::args().any(|argument| argument == "--bench") { Judged::Yes } else { Judged::No };
    let Some(cluster) = Cluster::start() else {
        return if judged == Judged::Yes { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    if judged == Judged::No {
        measure(&cluster, &Part::ALL, &Sizes::SMALL, judged);
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    let report = measure(&cluster, options.parts(), &Sizes::FULL, judged);
    if let Err(error) = report.write(&options.json()) {
        eprintln!("error: failed to write {}: {error}", options.json().display());
        return ExitCode::FAILURE;
    }
    println!("the figures as JSON: {}", options.json().display());
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(cluster: &Cluster, parts: &[Part], sizes: &Sizes, judged: Judged) -> Report {
    let runtime = runtime();
    let mut report = Report::default();
    println!("{}", report.head());
    for part in parts {
        for figure in runtime.block_on(figures(*part, sizes, cluster)) {
            println!("{}", figure.row(judged));
            report.figures.push(figure);
        }
    }
    report
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
