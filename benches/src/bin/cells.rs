//! The simulation of tenants on cells: `cargo xtask bench cells`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use quantum_benches::cells::{Options, Report};

fn main() -> ExitCode {
    let options = Options::parse();
    let report = Report::new(options.setup());
    let json = options.json(&std::env::current_exe().unwrap_or_else(|_| PathBuf::new()));
    println!("{}", report.table());
    if let Err(error) = report.write(&json) {
        eprintln!("error: failed to write {}: {error}", json.display());
        return ExitCode::FAILURE;
    }
    println!("the figures as JSON: {}", json.display());
    ExitCode::SUCCESS
}
