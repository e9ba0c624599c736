//! What happened to an execution: one event per transition, in one ordered log. The stored encoding is pinned by
//! golden files; an old log loads in every later release.

use serde::{Deserialize, Serialize};

use super::slot::Phase;
use crate::builtin::Wait;
use crate::id::{ExecutionId, StepId};
use crate::json::Json;
use crate::port::{Bill, Decision, Requester};
use crate::problem::Problem;
use crate::time::Timestamp;

/// The format that this host writes into `v`.
pub const EVENT_FORMAT: u32 = 2;

/// One entry of the log. `seq` starts at 1 and has no gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub v: u32,
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub kind: EventKind,
}

/// `element` is the position in the list of a `for_each`; without it the event is about the step as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A limit holds it back.
    ExecutionQueued {
        /// `name-vN`.
        intent: String,
        requested_by: Requester,
        /// The limit.
        reason: String,
    },
    ExecutionStarted {
        /// `name-vN`.
        intent: String,
        requested_by: Requester,
    },
    /// A replay took over the result of the execution that it replays.
    StepReused {
        step: StepId,
        from: ExecutionId,
        result: Json,
    },
    /// A step with `for_each` has its list.
    StepExpanded {
        step: StepId,
        items: Json,
    },
    StepStarted {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        #[serde(default, skip_serializing_if = "Phase::is_run")]
        phase: Phase,
        attempt: u32,
        /// When the attempt's timeout falls.
        deadline: Timestamp,
        /// The policies' answer to `step.start`.
        decision: Decision,
    },
    StepRetrying {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        #[serde(default, skip_serializing_if = "Phase::is_run")]
        phase: Phase,
        attempt: u32,
        error: Problem,
        /// When the next attempt may start.
        due_at: Timestamp,
        bill: Bill,
    },
    StepWaiting {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        wait: Wait,
        /// When the wait ends at the latest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
    },
    StepCompleted {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        attempt: u32,
        result: Json,
        bill: Bill,
    },
    StepFailed {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        /// 0: it was refused before its first attempt.
        attempt: u32,
        error: Problem,
        bill: Bill,
        /// The answer that refused the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Decision>,
        /// Of a `for_each` that goes on after failures: the results, with null where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Json>,
    },
    StepSkipped {
        step: StepId,
        reason: String,
        #[serde(default, skip_serializing_if = "SkipCause::is_stopped")]
        cause: SkipCause,
    },
    StepCancelled {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        attempt: u32,
        bill: Bill,
    },
    /// An operator has to look: the attempts are used up, or one was lost that must not be made twice.
    StepParked {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        attempt: u32,
        error: Problem,
        bill: Bill,
    },
    SignalReceived {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        name: String,
        payload: Json,
        sent_by: Requester,
    },
    ApprovalRecorded {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        approved: bool,
        approved_by: Requester,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    CancelRequested {
        requested_by: Requester,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Its own timeout fell.
    ExecutionTimedOut,
    ExecutionPaused {
        requested_by: Requester,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    ExecutionResumed {
        requested_by: Requester,
    },
    /// Nothing moves any more before an operator decides.
    ExecutionParked,
    ExecutionRestarted {
        requested_by: Requester,
    },
    CompensationStarted,
    StepCompensated {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        attempt: u32,
        result: Json,
        bill: Bill,
    },
    StepCompensationFailed {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        element: Option<u32>,
        attempt: u32,
        error: Problem,
        bill: Bill,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Decision>,
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

/// Why a step did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// The execution ended before.
    #[default]
    Stopped,
    /// Its `when` was false.
    When,
    /// It has side effects, and this is a dry run.
    DryRun,
}

impl SkipCause {
    pub const fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

impl EventKind {
    /// The word on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExecutionQueued { .. } => "execution_queued",
            Self::ExecutionStarted { .. } => "execution_started",
            Self::StepReused { .. } => "step_reused",
            Self::StepExpanded { .. } => "step_expanded",
            Self::StepStarted { .. } => "step_started",
            Self::StepRetrying { .. } => "step_retrying",
            Self::StepWaiting { .. } => "step_waiting",
            Self::StepCompleted { .. } => "step_completed",
            Self::StepFailed { .. } => "step_failed",
            Self::StepSkipped { .. } => "step_skipped",
            Self::StepCancelled { .. } => "step_cancelled",
            Self::StepParked { .. } => "step_parked",
            Self::SignalReceived { .. } => "signal_received",
            Self::ApprovalRecorded { .. } => "approval_recorded",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::ExecutionTimedOut => "execution_timed_out",
            Self::ExecutionPaused { .. } => "execution_paused",
            Self::ExecutionResumed { .. } => "execution_resumed",
            Self::ExecutionParked => "execution_parked",
            Self::ExecutionRestarted { .. } => "execution_restarted",
            Self::CompensationStarted => "compensation_started",
            Self::StepCompensated { .. } => "step_compensated",
            Self::StepCompensationFailed { .. } => "step_compensation_failed",
            Self::ExecutionCompleted { .. } => "execution_completed",
            Self::ExecutionFailed { .. } => "execution_failed",
            Self::ExecutionCancelled => "execution_cancelled",
        }
    }

    /// An attempt failed, whatever follows.
    pub const fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::StepRetrying { .. }
                | Self::StepFailed { .. }
                | Self::StepParked { .. }
                | Self::StepCompensationFailed { .. }
        )
    }

    /// The execution has ended; only a restart comes after it.
    pub const fn is_end(&self) -> bool {
        matches!(
            self,
            Self::ExecutionCompleted { .. } | Self::ExecutionFailed { .. } | Self::ExecutionCancelled
        )
    }
}
