//! The WIT packages that the bindings are made of, held against the frozen copies of what was released.

#![expect(clippy::panic, reason = "a test fails where a helper of it does, with the path")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use quantum_sdk::__private::Plugin;

use crate::sample::QuantumPlugin;

/// A package's version: major, minor, patch.
type Version = [u32; 3];

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit").join(below)
}

/// Name, version and text of a package in this file.
fn package(path: &Path) -> (String, Version, String) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let line = text.lines().next().unwrap_or_default();
    let words = line.strip_prefix("package ").and_then(|line| line.strip_suffix(';')?.split_once('@'));
    let (name, version) = words.unwrap_or_else(|| panic!("{}: {line}", path.display()));
    let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    (name.to_owned(), numbers.try_into().unwrap(), text)
}

/// The only file of each folder whose name begins so.
fn files(below: &str, beginning: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder(below)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with(beginning) {
            let inside: Vec<_> =
                fs::read_dir(entry.path()).unwrap().map(|file| file.unwrap().path()).collect();
            assert_eq!(inside.len(), 1, "{} has one file", entry.path().display());
            files.extend(inside);
        }
    }
    files
}

fn working() -> Vec<(String, Version, String)> {
    let mut files = files("deps", "quantum-");
    files.push(folder("plugin.wit"));
    files.iter().map(|path| package(path)).collect()
}

fn released() -> BTreeMap<(String, Version), String> {
    files("released", "").iter().map(|path| package(path)).map(|(n, v, text)| ((n, v), text)).collect()
}

#[test]
fn what_was_released_is_not_changed() {
    let released = released();
    for (name, version, text) in working() {
        match released.get(&(name.clone(), version)) {
            Some(frozen) => {
                assert!(*frozen == text, "{name}@{version:?} was released: give it a new version")
            }
            None => {
                let newest =
                    released.keys().filter(|(known, _)| *known == name).map(|(_, version)| version).max();
                assert!(
                    newest.is_some_and(|newest| *newest < version),
                    "{name}@{version:?} is not in released/"
                );
            }
        }
    }
}

#[test]
fn every_folder_has_the_name_of_its_package() {
    for path in [files("deps", "quantum-"), files("released", "")].concat() {
        let (name, [major, minor, patch], _) = package(&path);
        let expected = format!("{}-{major}.{minor}.{patch}", name.replace(':', "-"));
        let folder = path.parent().and_then(Path::file_name).unwrap();
        assert_eq!(folder.to_string_lossy(), expected, "{}", path.display());
    }
}

#[test]
fn the_manifest_says_the_versions_that_the_bindings_are_made_of() {
    let said: BTreeMap<String, String> =
        serde_json::from_value(QuantumPlugin::manifest()["wit"].take()).unwrap();
    let made_of = working().into_iter();
    let made_of: BTreeMap<_, _> =
        made_of.map(|(name, [major, minor, patch], _)| (name, format!("{major}.{minor}.{patch}"))).collect();
    assert_eq!(said, made_of, "the sample uses every package");
}
