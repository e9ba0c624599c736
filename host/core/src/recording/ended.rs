//! How the attempt ended.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::depth;
use crate::port::{AttemptOutcome, FailureKind};
use crate::problem::Problem;

/// Levels of a value that are kept as such. What is deeper is kept as its text, so that the recording can be read back.
const DEPTH_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Completed {
        result: Value,
    },
    Failed {
        kind: String,
        problem: Problem,
        retry_after_ms: Option<u64>,
    },
    Cancelled,
    /// From outside: the guest had no word in it.
    Interrupted,
}

impl Ended {
    pub fn of(outcome: &AttemptOutcome) -> Self {
        match outcome {
            AttemptOutcome::Completed(result) => Self::Completed { result: shallow(result) },
            AttemptOutcome::Cancelled => Self::Cancelled,
            AttemptOutcome::Failed(failure) => Self::Failed {
                kind: word(failure.kind).to_owned(),
                problem: Problem {
                    details: failure.problem.details.as_ref().map(shallow),
                    ..failure.problem.clone()
                },
                retry_after_ms: failure.retry_after_ms,
            },
        }
    }

    /// Details do not count: a backtrace names the places of one build.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let plain = |ended: &Self| match ended.clone() {
            Self::Failed { kind, problem, retry_after_ms } => {
                Self::Failed { kind, problem: Problem { details: None, ..problem }, retry_after_ms }
            }
            other => other,
        };
        plain(self) == plain(other)
    }

    /// For people, on one line.
    pub fn shown(&self) -> String {
        match self {
            Self::Completed { .. } => "completed".to_owned(),
            Self::Failed { problem, .. } => format!("failed: {problem}"),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Interrupted => "interrupted by the host".to_owned(),
        }
    }
}

/// A value that can stand in a document.
fn shallow(value: &Value) -> Value {
    if depth(value) > DEPTH_MAX { Value::String(value.to_string()) } else { value.clone() }
}

const fn word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Permanent => "permanent",
        FailureKind::Retryable => "retryable",
        FailureKind::Trap => "trap",
        FailureKind::Timeout => "timeout",
        FailureKind::CpuLimit => "cpu_limit",
        FailureKind::MemoryLimit => "memory_limit",
        FailureKind::OutputLimit => "output_limit",
        FailureKind::InvalidOutput => "invalid_output",
        FailureKind::Denied => "denied",
        FailureKind::Unavailable => "unavailable",
        FailureKind::HostFault => "host_fault",
        FailureKind::Lost => "lost",
    }
}
