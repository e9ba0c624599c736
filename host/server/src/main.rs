//! The `quantum` binary: reads the command line, runs it, says once what went wrong.

use std::process::ExitCode;

use clap::Parser;
use quantum_server::cli::Cli;

/// A tenth of an execution's processor time is allocation; the system's allocator takes twice as long.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(arguments) = cli.compiles() {
        return quantum_sandbox::compile_as_child(arguments);
    }
    // One TLS backend for everything in the process; installed twice, the first one stays.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: failed to start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_unread() => error.exit().into(),
        Err(error) => {
            eprintln!("error: {}", quantum_server::chain(&error));
            error.exit().into()
        }
    }
}
