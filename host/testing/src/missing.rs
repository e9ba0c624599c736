//! A server that is not installed: the tests that need it are skipped where people work, and fail where all must run.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::panic::Location;
use std::path::Path;

/// Names the file that gets a line for each skipped test; `cargo xtask test` sets it and shows the lines at its end.
pub const SKIPPED: &str = "QUANTUM_SKIPPED";

/// A program that is nowhere on this machine, and the package of Debian that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    pub program: &'static str,
    pub package: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing: install the Debian package {}", self.program, self.package)
    }
}

impl std::error::Error for Missing {}

/// None: the test has nothing to run on and returns. Said on standard error, and in the file that [`SKIPPED`] names.
///
/// # Panics
///
/// Under `CI=true`, where what is missing is a failure.
#[track_caller]
pub fn or_skip<T>(found: Result<T, Missing>) -> Option<T> {
    let missing = match found {
        Ok(found) => return Some(found),
        Err(missing) => missing,
    };
    let is_required = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!is_required, "{missing}");
    let line = line(Location::caller(), std::thread::current().name(), missing);
    // Not `eprintln!`, which is not shown for a test that passes.
    _ = io::stderr().write_all(format!("skipped: {line}\n").as_bytes());
    if let Some(list) = std::env::var_os(SKIPPED).filter(|path| !path.is_empty()) {
        note(Path::new(&list), &line);
    }
    None
}

/// A test runs in a thread that has its name, unless it is the only thread.
fn line(place: &Location<'_>, thread: Option<&str>, missing: Missing) -> String {
    let name = thread.filter(|name| *name != "main").map(|name| format!("{name} "));
    format!("{}({}:{}): {missing}", name.unwrap_or_default(), place.file(), place.line())
}

/// One write a line: other test programs append to the same file.
fn note(list: &Path, line: &str) {
    let appended = File::options()
        .create(true)
        .append(true)
        .open(list)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    if let Err(error) = appended {
        _ = writeln!(io::stderr(), "{} was not written: {error}", list.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: Missing = Missing { program: "initdb", package: "postgresql" };

    #[test]
    fn a_skipped_test_is_named_with_what_to_install() {
        let place = Location::caller();
        let told = line(place, Some("leases::one_holder"), MISSING);
        let rest = format!("({}:{}): {MISSING}", file!(), place.line());
        assert_eq!(told, format!("leases::one_holder {rest}"));
        assert_eq!(line(place, Some("main"), MISSING), rest);
        assert_eq!(MISSING.to_string(), "initdb is missing: install the Debian package postgresql");
    }

    #[test]
    fn lines_are_added_to_those_of_other_programs() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("skipped");
        note(&list, "one");
        note(&list, "two");
        assert_eq!(std::fs::read_to_string(list).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn what_is_there_is_given() {
        assert_eq!(or_skip(Ok(7)), Some(7));
    }
}
