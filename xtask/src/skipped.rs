//! Tests that had no server to run on: test programs add a line each to one file, and the end of a long log shows them.

use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::workspace;

/// Read by `host/testing/src/missing.rs`: the file that gets a line for each skipped test.
const VARIABLE: &str = "QUANTUM_SKIPPED";

/// The list of one run.
#[derive(Debug)]
pub struct Skipped {
    list: PathBuf,
}

impl Skipped {
    /// An empty list, in the build's folder.
    pub fn empty() -> Result<Self> {
        Self::at(workspace::target_dir()?.join("skipped-tests.txt"))
    }

    fn at(list: PathBuf) -> Result<Self> {
        std::fs::write(&list, "").map_err(Error::file(&list))?;
        Ok(Self { list })
    }

    /// The tests that this command runs are listed.
    pub fn collect(&self, command: &mut Command) {
        command.env(VARIABLE, &self.list);
    }

    /// What the summary says of them, each test once; None: none was skipped.
    pub fn told(&self) -> Result<Option<String>> {
        let text = std::fs::read_to_string(&self.list).map_err(Error::file(&self.list))?;
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        let told = || format!("{} tests were skipped\n    {}", lines.len(), lines.join("\n    "));
        Ok((!lines.is_empty()).then(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_skipped_test_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, "of the run before").unwrap();
        let skipped = Skipped::at(list.clone()).unwrap();
        assert_eq!(skipped.told().unwrap(), None);
        let mut command = Command::new("sh");
        skipped.collect(command.args(["-c", "printf 'two\\none\\ntwo\\n' >> \"$QUANTUM_SKIPPED\""]));
        assert!(command.status().unwrap().success());
        assert_eq!(skipped.told().unwrap().unwrap(), "2 tests were skipped\n    one\n    two");
    }
}
