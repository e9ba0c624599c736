//! What outlasts a single change: deadlines, the order of what can be undone, and a restart.

use super::super::event::{Event, SkipCause};
use super::super::execution::Execution;
use super::super::step_state::StepState;
use super::{ApplyError, Place, in_status, slot_of};
use crate::intent::OnError;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

pub(super) fn set_deadline(execution: &mut Execution, from: Timestamp) {
    execution.deadline = execution.plan.document.timeout_ms.map(|millis| from.plus_millis(millis));
}

/// The time that an execution was paused is not counted.
pub(super) fn resume(execution: &mut Execution, at: Timestamp) {
    let paused_ms = execution.paused_at.take().map_or(0, |since| at.millis_since(since));
    execution.deadline = execution.deadline.map(|deadline| deadline.plus_millis(paused_ms));
    execution.status = ExecutionStatus::Running;
}

/// A step or an element has its result: it counts, and it can be undone.
pub(super) fn completed(execution: &mut Execution, place: Place<'_>, bytes: usize) {
    let Some(slot) = slot_of(execution, place) else { return };
    execution.result_bytes += bytes;
    let succeeded = execution.slot(slot).is_some_and(|state| state.status == StepStatus::Succeeded);
    let Some(planned) = execution.plan.step(slot.step) else { return };
    let whole = planned.for_each.is_none() || slot.element.is_some();
    // A dry run has done nothing that could be undone.
    if planned.compensate.is_some() && succeeded && whole && !execution.dry_run {
        execution.undo.push(slot);
    }
    let Some(fan_out) = execution.steps.get_mut(slot.step).and_then(|step| step.fan_out.as_mut()) else {
        return;
    };
    if slot.element.is_some() {
        fan_out.result_bytes += bytes;
        return;
    }
    // The step's own result holds them from here on.
    execution.result_bytes = execution.result_bytes.saturating_sub(fan_out.result_bytes);
    // What undoes an element reads its own.
    let undone = planned.compensate.is_some();
    if !undone {
        fan_out.elements.iter_mut().for_each(|element| element.output = None);
    }
}

/// Completed steps keep their results; what failed, was cancelled, is parked, or did not start because of that runs
/// again.
pub(super) fn restart(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use ExecutionStatus as E;
    in_status(execution, event, &[E::Failed, E::Cancelled, E::Parked, E::Running])?;
    let plan = execution.plan.clone();
    for (state, planned) in execution.steps.iter_mut().zip(&plan.document.steps) {
        let stands = state.status == StepStatus::Failed && planned.on_error == OnError::Continue;
        if !stands {
            restart_step(state, event.at);
        }
    }
    if execution.status != E::Running {
        set_deadline(execution, event.at);
    }
    execution.status = E::Running;
    execution.ended_at = None;
    execution.cancel_requested = false;
    execution.timed_out = false;
    execution.error = None;
    Ok(())
}

fn restart_step(state: &mut StepState, at: Timestamp) {
    use StepStatus as S;
    let goes_on =
        state.status == S::Running && state.fan_out.as_ref().is_some_and(|fan_out| fan_out.parked > 0);
    match (state.status, state.skipped) {
        (S::Failed | S::Cancelled | S::Parked, _) | (S::Skipped, Some(SkipCause::Stopped)) => {}
        _ if goes_on => {}
        _ => return,
    }
    let Some(fan_out) = &mut state.fan_out else {
        state.reset(S::Pending);
        return;
    };
    for position in 0..fan_out.elements.len() {
        let Some(element) = fan_out.elements.get_mut(position) else { continue };
        let before = element.status;
        if matches!(before, S::Failed | S::Cancelled | S::Parked) {
            element.reset(S::Retrying);
            fan_out.moved(u32::try_from(position).unwrap_or(u32::MAX), before, S::Retrying);
        }
    }
    if !goes_on {
        state.reset(S::Running);
        state.started_at = Some(at);
    }
}
