//! The ledger as the run sees it: a child, its address, and its file.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::SUBCOMMAND;
use super::record::{Record, read};
use crate::error::{Error, Result};

pub struct Ledger {
    pub url: String,
    path: PathBuf,
    child: Child,
    /// The child ends with it.
    stdin: Option<ChildStdin>,
}

impl Ledger {
    /// This program once more, as a ledger that writes into `path`.
    pub fn start(path: &Path) -> Result<Self> {
        let failed = |source| Error::Start { command: SUBCOMMAND.to_owned(), source };
        let mut command = Command::new(own_program().map_err(failed)?);
        command.arg(SUBCOMMAND).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let mut url = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut url));
        let ledger = Self { url: url.trim().to_owned(), path: path.to_owned(), child, stdin };
        read.transpose().map_err(failed)?;
        if ledger.url.is_empty() {
            return Err(Error::demo("a ledger that says where it listens", "it ended"));
        }
        Ok(ledger)
    }

    /// Everything so far.
    pub fn records(&self) -> Result<Vec<Record>> {
        read(&self.path)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        drop(self.stdin.take());
        _ = self.child.wait();
    }
}

/// A build that ran meanwhile has put a new file of the same name in the place of this one.
fn own_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let before = path.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(before.unwrap_or(path))
}
