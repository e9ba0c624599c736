//! What must be on the machine: rustup (or a Rust with the WebAssembly target) and a C compiler. Nothing else.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::shell;

/// What plugins are compiled to.
pub const PLUGIN_TARGET: &str = "wasm32-wasip2";

/// Checks everything that a build needs, and adds the plugins' target when only that is missing.
pub fn prepare() -> Result<()> {
    c_compiler()?;
    plugin_target()
}

fn c_compiler() -> Result<()> {
    let named = std::env::var_os("CC").filter(|name| !name.is_empty());
    let candidates = named.map_or_else(|| vec!["cc".into(), "gcc".into(), "clang".into()], |name| vec![name]);
    if candidates.iter().any(|name| shell::answers(Command::new(name).arg("--version"))) {
        println!("a C compiler is there");
        return Ok(());
    }
    Err(Error::Missing {
        what: "a C compiler",
        why: "SQLite and the cryptography library are compiled from C",
        install: "Debian, Ubuntu: apt install build-essential. Fedora: dnf install gcc. macOS: xcode-select --install. \
                  Or set CC to the one that you have.",
    })
}

fn plugin_target() -> Result<()> {
    if has_plugin_target() {
        println!("the target {PLUGIN_TARGET} is there");
        return Ok(());
    }
    if !shell::answers(Command::new("rustup").arg("--version")) {
        return Err(Error::Missing {
            what: "rustup",
            why: "plugins are WebAssembly components, and this Rust has no standard library for wasm32-wasip2",
            install: "install rustup from https://rustup.rs and run the same command again, or add the standard \
                      library for wasm32-wasip2 with the tool that installed this Rust",
        });
    }
    println!("adding the target {PLUGIN_TARGET}, which plugins are compiled to");
    shell::run(
        Command::new("rustup").args(["target", "add", PLUGIN_TARGET]).current_dir(crate::workspace::root()),
    )
}

fn has_plugin_target() -> bool {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", PLUGIN_TARGET]).current_dir(crate::workspace::root());
    let folder = shell::output(&mut rustc).map(|text| PathBuf::from(String::from_utf8_lossy(&text).trim()));
    folder.is_ok_and(|folder| folder.is_dir())
}

/// Whether `cargo NAME` is installed. Under `CI=true` it must be.
pub fn has_component(name: &'static str) -> bool {
    std::env::var_os("CI").is_some() || shell::answers(&mut shell::cargo(&[name, "--version"]))
}
