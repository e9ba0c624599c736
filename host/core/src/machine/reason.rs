//! Why an execution does not move: what it waits for, as people are told.

use serde::Serialize;

use super::execution::Execution;
use super::slot::Slot;
use super::step_state::StepState;
use crate::builtin::Wait;
use crate::id::{ExecutionId, StepId};
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// One thing that has to happen before it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "waits_for", rename_all = "snake_case")]
pub enum Blocker {
    /// A limit, while queued.
    Limit {
        reason: String,
    },
    /// A quota of the tenant is used up: until the day ends, or the limit is raised.
    Quota {
        step: StepId,
        element: Option<u32>,
        reason: String,
        until: Timestamp,
    },
    /// Somebody has to resume it.
    Resume {
        since: Option<Timestamp>,
    },
    /// An operator has to restart or cancel it.
    Operator {
        step: StepId,
        element: Option<u32>,
        error: Option<String>,
    },
    /// The next attempt.
    Retry {
        step: StepId,
        element: Option<u32>,
        until: Option<Timestamp>,
        error: Option<String>,
    },
    Timer {
        step: StepId,
        element: Option<u32>,
        until: Option<Timestamp>,
    },
    Signal {
        step: StepId,
        element: Option<u32>,
        name: String,
        until: Option<Timestamp>,
    },
    Approval {
        step: StepId,
        element: Option<u32>,
        given: usize,
        needed: u32,
        until: Option<Timestamp>,
    },
    Child {
        step: StepId,
        element: Option<u32>,
        execution_id: ExecutionId,
        until: Option<Timestamp>,
    },
}

/// Blockers that are listed; an execution with thousands of waiting elements is understood from the first ones.
const BLOCKERS_MAX: usize = 20;

/// Everything that it waits for. Empty while an attempt runs, and after its end.
pub fn blockers(execution: &Execution) -> Vec<Blocker> {
    match execution.status {
        ExecutionStatus::Queued => {
            let reason = execution.queued_by.clone().unwrap_or_else(|| "its turn".to_owned());
            return vec![Blocker::Limit { reason }];
        }
        ExecutionStatus::Paused => return vec![Blocker::Resume { since: execution.paused_at }],
        status if status.is_terminal() => return Vec::new(),
        _ => {}
    }
    let undo = execution.next_undo().and_then(|slot| Some((slot, execution.slot(slot)?)));
    let open: Vec<_> = match execution.status {
        ExecutionStatus::Compensating => undo.into_iter().collect(),
        _ => execution.open_slots().filter(|(_, state)| state.fan_out.is_none()).collect(),
    };
    let runs = |state: &StepState| matches!(state.status, StepStatus::Running | StepStatus::Compensating);
    if open.iter().any(|(_, state)| runs(state)) {
        return Vec::new();
    }
    open.iter().filter_map(|(slot, state)| blocker(execution, *slot, state)).take(BLOCKERS_MAX).collect()
}

fn blocker(execution: &Execution, slot: Slot, state: &StepState) -> Option<Blocker> {
    let step = execution.plan.step(slot.step)?.id.clone();
    let (element, until) = (slot.element, state.due_at);
    let error = state.error.as_ref().map(ToString::to_string);
    Some(match (state.status, &state.waiting) {
        (StepStatus::Parked, _) => Blocker::Operator { step, element, error },
        (StepStatus::Retrying, _) => Blocker::Retry { step, element, until, error },
        (StepStatus::Waiting, Some(waiting)) => match &waiting.wait {
            Wait::Timer => Blocker::Timer { step, element, until },
            Wait::Signal { name, .. } => Blocker::Signal { step, element, name: name.clone(), until },
            Wait::Approval { approvals, .. } => {
                let given = waiting.approvals.len();
                Blocker::Approval { step, element, given, needed: *approvals, until }
            }
            Wait::Child { execution_id, .. } => {
                Blocker::Child { step, element, execution_id: *execution_id, until }
            }
        },
        _ => return None,
    })
}
