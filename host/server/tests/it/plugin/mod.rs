//! The plugin tool: new plugins, and those in other languages than Rust.

mod guide;
mod languages;
mod new;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

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
