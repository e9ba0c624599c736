//! What becomes of a test whose server is not installed.

use std::path::Path;
use std::process::{Command, Output};

use quantum_testing::{Missing, SKIPPED, or_skip};

/// Set in the process that lacks something.
const ROLE: &str = "QUANTUM_TESTING_LACKS";
const MISSING: Missing = Missing { program: "no-such-server", package: "no-such-package" };

/// In its own process alone.
#[test]
fn a_test_that_lacks_a_server() {
    if std::env::var_os(ROLE).is_some() {
        assert_eq!(or_skip::<()>(Err(MISSING)), None);
    }
}

fn run(ci: Option<&str>, list: &Path) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "skipped::a_test_that_lacks_a_server"]);
    command.env(ROLE, "1").env(SKIPPED, list).env_remove("CI").envs(ci.map(|value| ("CI", value)));
    command.output().unwrap()
}

#[test]
fn it_is_skipped_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("skipped");
    let ended = run(None, &list);
    assert!(ended.status.success());
    let listed = std::fs::read_to_string(list).unwrap();
    assert!(listed.contains("tests/it/skipped.rs:"), "{listed}");
    let told = "no-such-server is missing: install the Debian package no-such-package\n";
    assert!(listed.ends_with(told), "{listed}");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains(&format!("skipped: {listed}")), "{said}");
}

#[test]
fn it_fails_where_all_must_run() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("skipped");
    assert!(!run(Some("true"), &list).status.success());
    assert!(!list.exists());
}
