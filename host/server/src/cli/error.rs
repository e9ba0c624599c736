//! Why a command failed, and the exit code that says so. The codes are published in the help.

use std::path::PathBuf;
use std::process::ExitCode;

use quantum_core::port::FailureKind;
use serde_json::Value;

use crate::plugin::Ended;

/// Exit codes, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Failed = 1,
    Usage = 2,
    Refused = 3,
    NotFound = 4,
    NoAnswer = 5,
    // How a call of `quantum plugin run` ended.
    Permanent = 10,
    Retryable = 11,
    Denied = 12,
    Trapped = 13,
    TimedOut = 14,
    OverLimit = 15,
    InvalidOutput = 16,
    Cancelled = 17,
    HostFault = 18,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Host(crate::serve::ServeError),
    #[error("{}", problem_text(problem))]
    Refused { status: u16, problem: Value },
    #[error("reach the host at {url}; is it running? Start one with: quantum serve")]
    NoAnswer { url: String, source: reqwest::Error },
    #[error("understand the host's answer: {what}")]
    Answer { what: String },
    #[error("read {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("understand {what} as JSON")]
    Json { what: String, source: serde_json::Error },
    /// Already told in full.
    #[error("{0}")]
    Failed(String),
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Key(#[from] crate::keys::KeyError),
    #[error(transparent)]
    Plugin(crate::plugin::Error),
    #[error("complete the action: {}", ended_text(.0))]
    Ended(Box<Ended>),
    #[error(transparent)]
    Backup(crate::backup::BackupError),
    #[error(transparent)]
    Transfer(quantum_store::TransferError),
    #[error("write the answer")]
    Write(#[from] std::io::Error),
}

impl CliError {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Refused { status: 404, .. } => Exit::NotFound,
            Self::Refused { .. } => Exit::Refused,
            Self::NoAnswer { .. } => Exit::NoAnswer,
            Self::Plugin(error) if error.is_usage() => Exit::Usage,
            Self::Ended(ended) => ended_exit(ended),
            Self::Backup(error) if error.is_usage() => Exit::Usage,
            Self::Transfer(error) if error.is_usage() => Exit::Usage,
            Self::File { .. } | Self::Json { .. } | Self::Usage(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    /// Whoever read the output has gone, as `head` does: nobody is left to be told of it.
    pub fn is_unread(&self) -> bool {
        match self {
            Self::Write(error) | Self::Plugin(crate::plugin::Error::Output(error)) => {
                error.kind() == std::io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}

fn ended_text(ended: &Ended) -> String {
    match ended {
        Ended::Completed => "it completed".to_owned(),
        Ended::Cancelled => "cancelled".to_owned(),
        Ended::Failed { problem, .. } => problem.to_string(),
    }
}

const fn ended_exit(ended: &Ended) -> Exit {
    let Ended::Failed { kind, .. } = ended else { return Exit::Cancelled };
    match kind {
        FailureKind::Permanent => Exit::Permanent,
        FailureKind::Retryable => Exit::Retryable,
        FailureKind::Denied => Exit::Denied,
        FailureKind::Trap => Exit::Trapped,
        FailureKind::Timeout => Exit::TimedOut,
        FailureKind::CpuLimit | FailureKind::MemoryLimit | FailureKind::OutputLimit => Exit::OverLimit,
        FailureKind::InvalidOutput => Exit::InvalidOutput,
        FailureKind::Unavailable | FailureKind::HostFault | FailureKind::Lost => Exit::HostFault,
    }
}

/// A problem as people read it: what, every finding with its place and hint, and the decision.
pub(crate) fn problem_text(problem: &Value) -> String {
    let word = |key: &str| problem.get(key).and_then(Value::as_str);
    let title = word("title").unwrap_or("the host refused");
    let mut text = match (word("detail"), word("code")) {
        (Some(detail), Some(code)) => format!("{title}: {detail} [{code}]"),
        (Some(detail), None) => format!("{title}: {detail}"),
        (None, _) => title.to_owned(),
    };
    for finding in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        text.push_str(&finding_text(finding));
    }
    if let Some(hint) = word("hint") {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    if let Some(decision) = word("decision_id") {
        text.push_str(&format!("\n  decision: {decision}"));
    }
    text
}

/// One finding, on a line of its own.
pub fn finding_text(finding: &Value) -> String {
    let word = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default();
    let place = match word("pointer") {
        "" => "the document",
        pointer => pointer,
    };
    let hint = match word("hint") {
        "" => String::new(),
        hint => format!("; {hint}"),
    };
    format!("\n  {place}: {} [{}]{hint}", word("message"), word("code"))
}
