//! What is asked of an execution, what it makes happen outside, and why a command is refused.

use super::admission::Admission;
use crate::id::StepId;
use crate::port::{AttemptReport, Requester};
use crate::time::Timestamp;

/// Asked of one execution. Every way to change it is here.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Start,
    /// The answer for a step that is ready.
    Admit {
        step: usize,
        admission: Admission,
    },
    /// An attempt ended. `chance` lies in 0..1 and draws the jitter.
    Settle {
        step: usize,
        attempt: u32,
        report: AttemptReport,
        chance: f64,
    },
    Cancel {
        requested_by: Requester,
        reason: Option<String>,
    },
    /// Nothing happened but time: retries may be due.
    Wake,
    /// Ends what can be ended; the last command of every turn.
    Proceed,
}

/// Released once the events that made it are durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Run {
        step: usize,
        attempt: u32,
        /// JSON text that fits the action's schema.
        parameters: String,
        deadline: Timestamp,
    },
    /// Raise the cancel flag of the running attempt.
    Interrupt {
        step: usize,
    },
    /// The execution must be woken at this time.
    Wake {
        at: Timestamp,
    },
    Ended,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the execution has already started")]
    AlreadyStarted,
    #[error("the execution has not started")]
    NotStarted,
    #[error("the execution has already ended")]
    AlreadyEnded,
    #[error("the execution is already being cancelled")]
    AlreadyCancelling,
    #[error("the execution has no step {0}")]
    UnknownStep(usize),
    #[error("step \"{0}\" is not ready to start")]
    NotReady(StepId),
    /// The answer of an attempt that is over: another one runs, or the step has ended.
    #[error("attempt {attempt} of step \"{step}\" is not the running one")]
    StaleAttempt { step: StepId, attempt: u32 },
}
