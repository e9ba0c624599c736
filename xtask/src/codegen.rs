//! `cargo xtask codegen`: writes the files that are made from the code, or checks that they are up to date.
//!
//! The host prints most of them, and a generator those of the SDK; nothing here knows what is in those, so this package
//! need not compile the others. The page about the contract is made of `wit/` alone.

use std::path::Path;
use std::process::Command;

use crate::artifacts::{self, Artifacts, Profile};
use crate::error::{Error, Result};
use crate::{shell, wit, workspace};

/// A file, and the arguments with which `quantum` prints it.
const GENERATED: &[(&str, &[&str])] = &[
    ("schemas/intent.json", &["schema", "intent"]),
    ("schemas/blueprint.json", &["schema", "blueprint"]),
    ("schemas/manifest.json", &["schema", "manifest"]),
    ("schemas/tenant-settings.json", &["schema", "tenant-settings"]),
    ("schemas/recording.json", &["schema", "recording"]),
    ("schemas/openapi.json", &["schema", "openapi"]),
];

/// A file, and what the SDK's generator calls it.
const BINDINGS: &[(&str, &str)] =
    &[("sdk/src/bindings/plugin.rs", "plugin"), ("sdk/src/bindings/describe.rs", "describe")];

/// Made here.
const CONTRACT: &str = "docs/wit.md";

pub fn write() -> Result<()> {
    let artifacts = artifacts::host(Profile::Dev)?;
    for (path, text) in generate(&artifacts)? {
        let path = workspace::root().join(path);
        let changed = is_stale(&path, &text);
        std::fs::write(&path, text).map_err(Error::file(&path))?;
        println!("{} {}", if changed { "written  " } else { "unchanged" }, workspace::relative(&path));
    }
    Ok(())
}

/// Builds the host, then compares.
pub fn build_and_check() -> Result<()> {
    check(&artifacts::host(Profile::Dev)?)
}

pub fn check(artifacts: &Artifacts) -> Result<()> {
    let generated = generate(artifacts)?;
    let root = workspace::root();
    let stale = generated.iter().filter(|(path, text)| is_stale(&root.join(path), text));
    let stale: Vec<_> = stale.map(|(path, _)| (*path).to_owned()).collect();
    if stale.is_empty() { Ok(()) } else { Err(Error::Stale(stale)) }
}

/// Whether nobody wrote this file of Rust.
pub fn is_generated(path: &str) -> bool {
    BINDINGS.iter().any(|(file, _)| *file == path)
}

fn generate(artifacts: &Artifacts) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let printed = GENERATED
        .iter()
        .map(|(path, arguments)| Ok((*path, shell::output(artifacts.quantum().args(*arguments))?)));
    let bindings = BINDINGS.iter().map(|(path, file)| Ok((*path, shell::output(&mut bindgen(file))?)));
    printed.chain(bindings).chain([wit::page().map(|page| (CONTRACT, page))]).collect()
}

fn bindgen(file: &str) -> Command {
    shell::cargo(&[
        "run",
        "--quiet",
        "--package",
        "quantum-sdk-bindgen",
        "--features",
        "generate",
        "--",
        file,
    ])
}

fn is_stale(path: &Path, text: &[u8]) -> bool {
    std::fs::read(path).map_or(true, |present| present != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_the_contract_is_what_the_contract_says() {
        let page = String::from_utf8(wit::page().unwrap()).unwrap();
        let present = std::fs::read_to_string(workspace::root().join(CONTRACT)).unwrap();
        assert!(present == page, "{CONTRACT} is stale; run: cargo xtask codegen");
    }

    #[test]
    fn a_file_is_stale_when_one_byte_differs_or_it_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema.json");
        assert!(is_stale(&path, b"{}"));
        std::fs::write(&path, b"{}").unwrap();
        assert!(!is_stale(&path, b"{}"));
        assert!(is_stale(&path, b"{}\n"));
    }
}
