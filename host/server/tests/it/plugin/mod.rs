//! The plugin tool: new plugins, and those in other languages than Rust.

mod cases;
mod dev;
mod guide;
mod inspect;
mod languages;
mod new;
mod pack;
mod run;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::home::{QUANTUM, Ran};

/// The checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Cargo's target folder.
fn target() -> PathBuf {
    Path::new(QUANTUM).ancestors().nth(2).unwrap().to_owned()
}

fn run(command: &mut Command) -> Ran {
    let output = command.env("RUST_BACKTRACE", "0").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The same, with this standard input.
fn run_with(command: &mut Command, input: &str) -> Ran {
    use std::io::Write;
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input may have ended before.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A new plugin in Rust of this name, with this source, in a folder that goes away. Nothing is downloaded for it, and of
/// what it depends on little is compiled.
fn in_rust(name: &str, source: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(quantum(&["plugin", "new", name, "--path"]).arg(folder.path()).arg("--sdk").arg(root())).ok();
    std::fs::copy(root().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), source).unwrap();
    folder
}

/// Of this checkout: what is compiled already is found.
fn offline(command: &mut Command) -> &mut Command {
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target())
}

fn quantum(arguments: &[&str]) -> Command {
    let mut command = Command::new(QUANTUM);
    command.args(arguments);
    command
}

/// A program that a machine may lack.
struct Tool {
    program: &'static str,
    /// Below the target folder, where `cargo xtask languages` installs it.
    place: &'static str,
}

const PYTHON: Tool = Tool { program: "python3", place: "" };
const COMPONENTIZE_PY: Tool = Tool { program: "componentize-py", place: "tools/python/bin" };
const NODE: Tool = Tool { program: "node", place: "" };
const JCO: Tool = Tool { program: "jco", place: "tools/javascript/node_modules/.bin" };

impl Tool {
    /// A `PATH` that has it. None: this machine does not, and the test is left out; CI has it.
    fn path(&self) -> Option<OsString> {
        let installed = target().join(self.place);
        let known = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::iter::once(installed).chain(std::env::split_paths(&known)).collect();
        if folders.iter().any(|folder| folder.join(self.program).is_file()) {
            return Some(std::env::join_paths(folders).unwrap());
        }
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{} is not installed", self.program);
        eprintln!(
            "left out: {} is not installed; with Python and Node.js, cargo xtask test does",
            self.program
        );
        None
    }
}
