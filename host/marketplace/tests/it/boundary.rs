//! Everything that comes from outside, changed at random and with the same seed each time: nothing panics, and what is
//! accepted stays what it is. The functions are those that cargo-fuzz calls: see `fuzz/README.md`.

#[path = "../../../../fuzz/src/entries.rs"]
mod entries;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use quantum_core::manifest::MANIFEST_SECTION;
use serde_json::json;

use crate::sample::{custom, manifest, plugin};
use entries::ENTRIES;

/// Of each entry. `PROPTEST_CASES` in the environment makes it another number.
const CASES: u32 = 2_000;
const SEED: u64 = 20_260_101;
/// What is put in: what parsers look for, and what is more than they expect.
const PIECES: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[[[[[[[[",
    b"\"",
    b"\\u0000",
    b"\xff\xfe",
    b"-1",
    b"1e400",
    b"99999999999999999999",
    b"null",
    b"${",
    b"\0asm\x01\0\0\0",
    b"\0\x10quantum:manifest",
    b"\xff\xff\xff\xff\x0f",
    b"$ref",
    b"#/",
];

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Good and bad examples, from which the others are made.
fn seeds(entry: &str) -> Vec<Vec<u8>> {
    let packed = || {
        let text = serde_json::to_vec(&manifest(json!({ "kv": true }))).unwrap();
        custom(MANIFEST_SECTION, &text)
    };
    match entry {
        "component" => vec![[plugin(&["quantum:kv/kv@1.0.0"]), packed()].concat()],
        "sections" => vec![packed(), [custom("name", b"x"), packed(), packed()].concat()],
        written => {
            let seeds = files(&fuzz_folder().join("seeds").join(written));
            seeds.iter().map(|file| fs::read(file).unwrap()).collect()
        }
    }
}

/// One change of some bytes. Places are taken modulo the length.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Cut(usize, usize),
    Repeat(usize, usize),
    Insert(usize, &'static [u8]),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        let place = |at: &usize| at % (bytes.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let at = place(at);
                if let Some(found) = bytes.get_mut(at) {
                    *found = *byte;
                }
            }
            Self::Cut(at, length) => {
                let at = place(at);
                let end = (at + length % 32).min(bytes.len());
                bytes.drain(at..end);
            }
            Self::Repeat(at, length) => {
                let at = place(at);
                let end = (at + length % 64).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            Self::Insert(at, piece) => {
                let at = place(at);
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), at()).prop_map(|(at, length)| Change::Cut(at, length)),
        (at(), at()).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at(), proptest::sample::select(PIECES.to_vec())).prop_map(|(at, piece)| Change::Insert(at, piece)),
    ]
}

/// A seed with a few changes, or anything at all.
fn input(entry: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let changed = (proptest::sample::select(seeds(entry)), proptest::collection::vec(change(), 0..6));
    let changed = changed.prop_map(|(mut bytes, changes)| {
        changes.iter().for_each(|change| change.make(&mut bytes));
        bytes
    });
    prop_oneof![9 => changed, 1 => proptest::collection::vec(any::<u8>(), 0..512)]
}

fn runner() -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
}

#[test]
fn whatever_comes_in_is_told_and_nothing_panics() {
    for (name, entry) in ENTRIES {
        let ran = runner().run(&input(name), |bytes| {
            entry(&bytes);
            Ok(())
        });
        match ran {
            Err(TestError::Fail(reason, bytes)) => {
                panic!("{name}: {reason}, of {}", String::from_utf8_lossy(&bytes).escape_debug())
            }
            ran => ran.unwrap(),
        }
    }
}

#[test]
fn the_targets_of_cargo_fuzz_are_these_entries() {
    let targets: Vec<String> = files(&fuzz_folder().join("targets"))
        .iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(file).unwrap();
            assert!(text.contains(&format!("quantum_fuzz::{name}(bytes)")), "{}", file.display());
            name
        })
        .collect();
    let mut entries: Vec<&str> = ENTRIES.iter().map(|(name, _)| *name).collect();
    entries.sort_unstable();
    assert_eq!(targets, entries);
    let listed = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for name in entries {
        assert!(listed.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
    }
}
