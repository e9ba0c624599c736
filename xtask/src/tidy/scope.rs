//! Who may make a `TenantScope`: authentication, the engine's loops, the effects of running attempts, the operator's own
//! commands, and tests.

use super::finding::Finding;
use super::source::Source;
use super::tokens::Kind;

/// A constructor, and the folders whose code may call it.
const CALLERS: &[(&str, &[&str])] = &[
    ("authenticated", &["host/api/"]),
    ("engine", &["host/engine/"]),
    // Ports of the sandbox: the tenant of an attempt is its execution's, which the engine established.
    ("effect", &["host/catalog/src/effects/"]),
    ("operator", &["host/server/", "host/catalog/"]),
    // The conformance suite is a library, so that a further backend can be held to it.
    ("for_tests", &["host/store/src/conformance/"]),
];

pub fn check(source: &Source<'_>) -> Vec<Finding> {
    CALLERS.iter().flat_map(|(constructor, folders)| calls(source, constructor, folders)).collect()
}

fn calls(source: &Source<'_>, constructor: &str, folders: &[&str]) -> Vec<Finding> {
    if folders.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let pattern = [Kind::Ident("TenantScope".into()), Kind::Path, Kind::Ident(constructor.into())];
    let lines = source.find(&pattern).into_iter().filter(|line| !source.is_test_line(*line));
    let what = format!("`TenantScope::{constructor}` is called here");
    let fix = format!("only {} and tests may: take the scope as an argument", folders.join(", "));
    lines.map(|line| Finding::new(source.path, line, what.clone(), fix.clone())).collect()
}
