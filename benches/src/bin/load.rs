//! The load generator: `cargo xtask bench load`.

use std::process::ExitCode;

use clap::Parser;
use quantum_benches::load::{self, Options};

/// One thread: the host is to have the cores.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match load::run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: failed to {}", load::full_text(&error));
            ExitCode::FAILURE
        }
    }
}
