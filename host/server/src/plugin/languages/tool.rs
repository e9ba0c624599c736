//! The programs that make components, where they are installed, and what they say when they fail.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::plugin::error::Error;

/// Bytes of what a failed tool said that are shown: its end.
const SAID_BYTES_MAX: usize = 16 * 1024;

/// Of the plugin's folder, then of each folder above it, the first of these places that has the program; then `PATH`.
pub(super) fn find(
    dir: &Path,
    program: &'static str,
    places: &[&str],
    install: String,
) -> Result<PathBuf, Error> {
    let beside = dir.ancestors().flat_map(|above| places.iter().map(move |place| above.join(place)));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let all = beside.chain(std::env::split_paths(&on_path));
    let mut found = all.map(|folder| folder.join(program)).filter(|path| path.is_file());
    found.next().ok_or(Error::NoTool { program, install })
}

/// On `PATH`.
pub(super) fn is_on_path(program: &str) -> bool {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&on_path).any(|folder| folder.join(program).is_file())
}

/// Runs it quietly. What it said is part of the error.
pub(super) async fn run(mut command: Command, what: &'static str) -> Result<(), Error> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    // A tool written in Rust shows the plugin's own mistake, and not where in the tool it was found.
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).kill_on_drop(true);
    let start = |source| Error::Start {
        program,
        install: "it is there, and it cannot be run; install it again",
        source,
    };
    let output = command.output().await.map_err(start)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let start = said.len().saturating_sub(SAID_BYTES_MAX);
    let said = String::from_utf8_lossy(said.get(start..).unwrap_or_default()).trim().to_owned();
    Err(Error::Tool { what, status: output.status, said })
}
