//! What people ask of an execution as a whole.

use super::super::command::Refusal;
use super::super::event::EventKind;
use super::super::execution::Execution;
use super::{Decided, moving, open, stopping};
use crate::port::Requester;
use crate::vocabulary::{ExecutionStatus, StepStatus};

pub(super) fn cancel(
    execution: &Execution,
    requested_by: Requester,
    reason: Option<String>,
) -> Result<Decided, Refusal> {
    open(execution)?;
    if execution.status == ExecutionStatus::Compensating {
        return Err(Refusal::Compensating);
    }
    if execution.cancel_requested {
        return Err(Refusal::AlreadyCancelling);
    }
    Ok(Decided::event(EventKind::CancelRequested { requested_by, reason }))
}

pub(super) fn pause(
    execution: &Execution,
    requested_by: Requester,
    reason: Option<String>,
) -> Result<Decided, Refusal> {
    moving(execution)?;
    if execution.status != ExecutionStatus::Running {
        return Err(Refusal::NotRunning(execution.status));
    }
    stopping(execution)?;
    Ok(Decided::event(EventKind::ExecutionPaused { requested_by, reason }))
}

pub(super) fn resume(execution: &Execution, requested_by: Requester) -> Result<Decided, Refusal> {
    open(execution)?;
    if execution.status != ExecutionStatus::Paused {
        return Err(Refusal::NotPaused(execution.status));
    }
    Ok(Decided::event(EventKind::ExecutionResumed { requested_by }))
}

pub(super) fn restart(execution: &Execution, requested_by: Requester) -> Result<Decided, Refusal> {
    use ExecutionStatus as E;
    let parked = execution.slots().any(|(_, state)| state.status == StepStatus::Parked);
    let may = match execution.status {
        E::Failed | E::Cancelled | E::Parked => true,
        E::Running => parked && !execution.is_stopping(),
        _ => false,
    };
    if !may {
        return Err(Refusal::NotRestartable(execution.status));
    }
    if execution.undo.iter().any(|slot| execution.slot(slot.undone()).is_some()) {
        return Err(Refusal::Undone);
    }
    Ok(Decided::event(EventKind::ExecutionRestarted { requested_by }))
}
