//! What is asked of an execution, what it makes happen outside, and why a command is refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::admission::Admission;
use super::slot::Slot;
use crate::id::{ExecutionId, StepId};
use crate::json::Json;
use crate::port::{AttemptReport, Requester};
use crate::problem::{Finding, Problem};
use crate::time::Timestamp;
use crate::vocabulary::ExecutionStatus;

/// Asked of one execution. Every way to change it is here. What only its owner asks of it has no written form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// A limit holds it back: it starts later.
    #[serde(skip)]
    Queue {
        reason: String,
    },
    #[serde(skip)]
    Start {
        /// Results of the replayed execution that stand.
        reuse: Vec<Reuse>,
    },
    /// The answer for what is ready.
    #[serde(skip)]
    Admit {
        slot: Slot,
        admission: Admission,
    },
    /// An attempt ended. `chance` lies in 0..1 and draws the jitter.
    #[serde(skip)]
    Settle {
        slot: Slot,
        attempt: u32,
        report: AttemptReport,
        chance: f64,
    },
    Signal {
        name: String,
        payload: Value,
        sent_by: Requester,
    },
    Approve {
        /// None: the one that waits for approval.
        step: Option<StepId>,
        element: Option<u32>,
        approved: bool,
        approved_by: Requester,
        comment: Option<String>,
    },
    /// The execution that a step waits for has ended.
    ChildEnded {
        slot: Slot,
        child: ExecutionId,
        outcome: ChildOutcome,
    },
    Cancel {
        requested_by: Requester,
        reason: Option<String>,
    },
    Pause {
        requested_by: Requester,
        reason: Option<String>,
    },
    Resume {
        requested_by: Requester,
    },
    /// Runs failed, cancelled and parked steps again; completed ones keep their results.
    Restart {
        requested_by: Requester,
    },
    /// Nothing happened but time: retries and waits may be due.
    #[serde(skip)]
    Wake,
    /// Does what follows from the state and the time; ends every turn.
    #[serde(skip)]
    Proceed,
}

/// A result that a replay takes over.
#[derive(Debug, Clone, PartialEq)]
pub struct Reuse {
    pub step: usize,
    pub from: ExecutionId,
    pub result: Json,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildOutcome {
    Succeeded(Json),
    /// Failed, cancelled, or never started.
    Failed(Problem),
}

/// Released once the events that made it are durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Run {
        slot: Slot,
        attempt: u32,
        /// JSON text that fits the action's schema.
        parameters: String,
        deadline: Timestamp,
    },
    /// Raise the cancel flag of the running attempt.
    Interrupt {
        slot: Slot,
    },
    /// The execution must be woken at this time.
    Wake {
        at: Timestamp,
    },
    StartChild {
        slot: Slot,
        child: ExecutionId,
    },
    CancelChild {
        child: ExecutionId,
    },
    Ended,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("the execution has already started")]
    AlreadyStarted,
    #[error("the execution has not started")]
    NotStarted,
    #[error("the execution has already ended")]
    AlreadyEnded,
    #[error("the execution is already being cancelled")]
    AlreadyCancelling,
    #[error("the execution is failing, and ends by itself")]
    Failing,
    #[error("the execution is undoing what it did, and ends by itself")]
    Compensating,
    #[error("the execution has no step {0}")]
    UnknownStep(usize),
    #[error("step \"{0}\" is not ready to start")]
    NotReady(StepId),
    /// The answer of an attempt that is over: another one runs, or the step has ended.
    #[error("attempt {attempt} of step \"{step}\" is not the running one")]
    StaleAttempt { step: StepId, attempt: u32 },
    /// `waits`: what the execution waits for instead.
    #[error("no step waits for the signal \"{name}\"; {waits}")]
    SignalNotExpected { name: String, waits: String },
    #[error("the payload does not fit what step \"{step}\" waits for")]
    SignalInvalid { step: StepId, findings: Vec<Finding> },
    #[error("{subject} waits for no approval; {waits}")]
    ApprovalNotExpected { subject: String, waits: String },
    #[error("several steps wait for approval: {0}; name one of them")]
    ApprovalAmbiguous(String),
    #[error("whoever started the execution cannot approve its steps")]
    ApprovalByRequester,
    #[error("\"{0}\" has approved this step already")]
    ApprovalTwice(String),
    #[error("the execution is {0}, and only a running one can be paused")]
    NotRunning(ExecutionStatus),
    #[error("the execution is {0}, not paused")]
    NotPaused(ExecutionStatus),
    #[error("the execution is {0}: only one that failed, was cancelled, or is parked can be restarted")]
    NotRestartable(ExecutionStatus),
    /// Its effects are undone; running on from its results would build on nothing.
    #[error("the execution has undone steps; replay it instead")]
    Undone,
}
