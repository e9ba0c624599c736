//! Why a measurement did not take place. A figure is never made from a run that failed.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("use the file {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("start \"{}\"; `cargo xtask bench load` builds it", path.display())]
    Start { path: PathBuf, source: std::io::Error },
    #[error("start the host: {found}; the end of its log:\n{log}")]
    NotReady { found: String, log: String },
    #[error("stop the host: {found}")]
    NotStopped { found: String },
    #[error("run \"quantum {arguments}\": {text}")]
    Command { arguments: String, text: String },
    #[error("connect to {address}")]
    Connect { address: String, source: std::io::Error },
    #[error("send {path}")]
    Send { path: String, source: hyper::Error },
    #[error("send {path}: it is not a request")]
    Request { path: String, source: http::Error },
    #[error("get an answer to {path} within {seconds} s")]
    Overdue { path: String, seconds: u64 },
    #[error("{what}: the answer was {status}: {body}")]
    Answer { what: &'static str, status: u16, body: String },
    #[error("find the metric \"{name}\" at {url}/metrics")]
    Metric { name: &'static str, url: String },
    #[error("write the figures as JSON")]
    Json(#[source] serde_json::Error),
    #[error("end within {seconds} s")]
    Bound { seconds: u64 },
}

impl Error {
    /// For `map_err`.
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// The error and what caused it, in one line.
pub fn full_text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
