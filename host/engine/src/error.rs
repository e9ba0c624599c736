//! Why the engine refuses or fails.

use quantum_core::machine::{ApplyError, Refusal};
use quantum_core::problem::{Finding, Problem};
use quantum_core::usage::QuotaReached;
use quantum_store::StoredResponse;

/// Reading, recovering, or writing what is stored did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] quantum_store::Error),
    /// The log of an execution does not fold. The host shows it and leaves it alone.
    #[error("rebuild execution {id} from its log")]
    Log {
        id: String,
        #[source]
        source: ApplyError,
    },
    #[error("decode {what} of execution {id}")]
    Decode {
        id: String,
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("encode the progress of schedule {name}")]
    Schedule {
        name: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("compile the plan of execution {id}: {first}")]
    Plan { id: String, first: String, is_newer: bool },
}

impl Error {
    /// What is stored of an execution is not understood: it was written by a newer program, or it is broken. Trying again
    /// does not help.
    pub const fn is_unreadable(&self) -> bool {
        match self {
            Self::Log { .. } | Self::Decode { .. } | Self::Plan { .. } => true,
            Self::Store(error) => matches!(error, quantum_store::Error::Corrupt { .. }),
            Self::Schedule { .. } => false,
        }
    }

    /// It is in a form that this program does not know, and that a newer one may.
    pub fn is_of_newer(&self) -> bool {
        match self {
            Self::Log { source, .. } => matches!(source, ApplyError::Format { .. }),
            Self::Decode { source, .. } => source.is_data(),
            Self::Plan { is_newer, .. } => *is_newer,
            Self::Store(_) | Self::Schedule { .. } => false,
        }
    }
}

/// Why an execution was not started. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the input does not fit the intent's schema")]
    Input(Vec<Finding>),
    #[error("the idempotency key was used before")]
    IdempotencyTaken(Box<StoredResponse>),
    /// 503: try again after so many milliseconds.
    #[error("{reason}")]
    Unavailable { reason: String, retry_after_ms: u64 },
    #[error("encode the execution")]
    Encode(#[from] serde_json::Error),
    /// 409: as many as may run do, and the intent says not to wait.
    #[error("{reason}")]
    Limit { reason: String },
    /// 429: the tenant has used up a quota of the day.
    #[error("{reached}")]
    Quota { reached: QuotaReached, retry_after_ms: u64 },
    /// 429: as many as may wait do.
    #[error("{reason}")]
    Backlog { reason: String, retry_after_ms: u64 },
    #[error(transparent)]
    Key(Box<Problem>),
    #[error(transparent)]
    Replay(Box<Problem>),
    #[error("there is no such execution")]
    NotFound,
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Why a command on an execution did nothing.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("there is no such execution")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// 409: as many as may run do.
    #[error("{reason}")]
    Limit { reason: String },
    /// 503: try again after so many milliseconds.
    #[error("{reason}")]
    Unavailable { reason: String, retry_after_ms: u64 },
    /// Another node runs the execution by now. Nobody outside of the engine is told: that node is asked.
    #[error("another node runs this execution by now")]
    Moved,
    #[error(transparent)]
    Failed(#[from] Error),
}
