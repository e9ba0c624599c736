//! What happened to an execution: one event per transition, in one ordered log. The stored encoding is pinned by
//! golden files; an old log loads in every later release.

use serde::{Deserialize, Serialize};

use crate::id::StepId;
use crate::json::Json;
use crate::port::{Bill, Decision, Requester};
use crate::problem::Problem;
use crate::time::Timestamp;

/// The format that this host writes into `v`.
pub const EVENT_FORMAT: u32 = 1;

/// One entry of the log. `seq` starts at 1 and has no gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub v: u32,
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    ExecutionStarted {
        /// `name-vN`.
        intent: String,
        requested_by: Requester,
    },
    StepStarted {
        step: StepId,
        attempt: u32,
        /// When the attempt's timeout falls.
        deadline: Timestamp,
        /// The policies' answer to `step.start`.
        decision: Decision,
    },
    StepRetrying {
        step: StepId,
        attempt: u32,
        error: Problem,
        /// When the next attempt may start.
        due_at: Timestamp,
        bill: Bill,
    },
    StepCompleted {
        step: StepId,
        attempt: u32,
        result: Json,
        bill: Bill,
    },
    StepFailed {
        step: StepId,
        /// 0: it was refused before its first attempt.
        attempt: u32,
        error: Problem,
        bill: Bill,
        /// The answer that refused the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Decision>,
    },
    StepSkipped {
        step: StepId,
        reason: String,
    },
    StepCancelled {
        step: StepId,
        attempt: u32,
        bill: Bill,
    },
    CancelRequested {
        requested_by: Requester,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    ExecutionCompleted {
        output: Json,
    },
    ExecutionFailed {
        error: Problem,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
    },
    ExecutionCancelled,
}

impl EventKind {
    /// The word on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExecutionStarted { .. } => "execution_started",
            Self::StepStarted { .. } => "step_started",
            Self::StepRetrying { .. } => "step_retrying",
            Self::StepCompleted { .. } => "step_completed",
            Self::StepFailed { .. } => "step_failed",
            Self::StepSkipped { .. } => "step_skipped",
            Self::StepCancelled { .. } => "step_cancelled",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::ExecutionCompleted { .. } => "execution_completed",
            Self::ExecutionFailed { .. } => "execution_failed",
            Self::ExecutionCancelled => "execution_cancelled",
        }
    }

    /// No event of the execution comes after it.
    pub const fn is_last(&self) -> bool {
        matches!(
            self,
            Self::ExecutionCompleted { .. } | Self::ExecutionFailed { .. } | Self::ExecutionCancelled
        )
    }
}
