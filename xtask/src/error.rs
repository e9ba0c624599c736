//! What can go wrong in a task, each with what to do about it.

use std::path::PathBuf;

/// Fits after "failed: ".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("{what} is missing: {why}\n  {install}")]
    Missing { what: &'static str, why: &'static str, install: &'static str },
    #[error("`{command}` could not be started")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` ended with {status}")]
    Command { command: String, status: std::process::ExitStatus },
    #[error("reading or writing {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("reading the workspace's metadata")]
    Metadata(#[from] serde_json::Error),
    #[error("reading the contract in {}: {reason}", path.display())]
    Wit { path: PathBuf, reason: String },
    #[error("tidy has {0} findings")]
    Tidy(usize),
    #[error("{} generated files differ from what the code says: {}\n  run `cargo xtask codegen` and commit them", .0.len(), .0.join(", "))]
    Stale(Vec<String>),
    #[error("{failed} of {all} phases failed\n{reasons}")]
    Phases { failed: usize, all: usize, reasons: String },
    #[error("the demo expected {expected}, but {found}")]
    Demo { expected: String, found: String },
    #[error("{0}")]
    Chaos(String),
    #[error("talking to {peer}")]
    Network { peer: String, source: std::io::Error },
}

impl Error {
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub fn network(peer: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let peer = peer.into();
        move |source| Self::Network { peer, source }
    }

    pub fn chaos(found: impl Into<String>) -> Self {
        Self::Chaos(found.into())
    }

    pub fn demo(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Demo { expected: expected.into(), found: found.into() }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
