//! `apply`: the only writer of an execution. An event that its state does not allow is an error.

mod change;
mod restart;

use super::event::{EVENT_FORMAT, Event, EventKind};
use super::execution::Execution;
use super::slot::{Phase, Slot};
use super::step_state::{FanOut, Waiting};
use crate::id::StepId;
use crate::json;
use crate::vocabulary::{ExecutionStatus, StepStatus};
use change::{Place, add, change, change_undo, end, in_status, take};

/// Why an event cannot have happened to this execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error("event {found} follows event {last}: the log has a gap or a repeat")]
    Sequence { last: u64, found: u64 },
    #[error("event {seq} has format {format}; this host reads up to {EVENT_FORMAT}: run a newer host")]
    Format { seq: u64, format: u32 },
    #[error("event {seq} names the step \"{step}\", which the plan does not have")]
    UnknownStep { seq: u64, step: StepId },
    #[error("event {seq} names element {element} of step \"{step}\", which cannot be the next one")]
    UnknownElement { seq: u64, step: StepId, element: u32 },
    #[error("event {seq}, {event}, cannot happen while {subject} is {status}")]
    Illegal { seq: u64, event: &'static str, subject: String, status: &'static str },
}

pub fn apply(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    if event.v > EVENT_FORMAT {
        return Err(ApplyError::Format { seq: event.seq, format: event.v });
    }
    if event.seq != execution.last_seq + 1 {
        return Err(ApplyError::Sequence { last: execution.last_seq, found: event.seq });
    }
    write(execution, event)?;
    execution.last_seq = event.seq;
    Ok(())
}

/// While it runs or is paused: what was under way goes on to its end.
const MOVING: &[ExecutionStatus] = &[ExecutionStatus::Running, ExecutionStatus::Paused];
const RUNNING: &[ExecutionStatus] = &[ExecutionStatus::Running];
const COMPENSATING: &[ExecutionStatus] = &[ExecutionStatus::Compensating];

fn write(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    match &event.kind {
        EventKind::StepReused { .. }
        | EventKind::StepExpanded { .. }
        | EventKind::StepStarted { .. }
        | EventKind::StepRetrying { .. }
        | EventKind::StepWaiting { .. } => write_begin(execution, event),
        EventKind::StepCompleted { .. }
        | EventKind::StepFailed { .. }
        | EventKind::StepSkipped { .. }
        | EventKind::StepCancelled { .. }
        | EventKind::StepParked { .. } => write_end(execution, event),
        EventKind::SignalReceived { .. } | EventKind::ApprovalRecorded { .. } => write_told(execution, event),
        EventKind::StepCompensated { .. } | EventKind::StepCompensationFailed { .. } => {
            write_undone(execution, event)
        }
        _ => write_execution(execution, event),
    }
}

/// What happens to the execution as a whole.
fn write_execution(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use ExecutionStatus as E;
    match &event.kind {
        EventKind::ExecutionQueued { reason, .. } => {
            in_status(execution, event, &[E::Queued])?;
            execution.queued_by = Some(reason.clone());
        }
        EventKind::ExecutionStarted { .. } => {
            in_status(execution, event, &[E::Queued])?;
            execution.status = E::Running;
            execution.queued_by = None;
            execution.started_at = Some(event.at);
            execution.context = serde_json::json!({ "id": execution.id, "started_at": event.at });
            restart::set_deadline(execution, event.at);
        }
        EventKind::CancelRequested { .. } => {
            in_status(execution, event, &[E::Queued, E::Running, E::Paused, E::Parked])?;
            execution.cancel_requested = true;
            execution.paused_at = None;
            if execution.status != E::Queued {
                execution.status = E::Running;
            }
        }
        EventKind::ExecutionTimedOut => {
            in_status(execution, event, RUNNING)?;
            execution.timed_out = true;
            execution.deadline = None;
        }
        EventKind::ExecutionPaused { .. } => {
            in_status(execution, event, RUNNING)?;
            execution.status = E::Paused;
            execution.paused_at = Some(event.at);
        }
        EventKind::ExecutionResumed { .. } => {
            in_status(execution, event, &[E::Paused])?;
            restart::resume(execution, event.at);
        }
        EventKind::ExecutionParked => {
            in_status(execution, event, RUNNING)?;
            execution.status = E::Parked;
        }
        EventKind::ExecutionRestarted { .. } => restart::restart(execution, event)?,
        EventKind::CompensationStarted => {
            in_status(execution, event, RUNNING)?;
            execution.status = E::Compensating;
            execution.deadline = None;
        }
        _ => return write_last(execution, event),
    }
    Ok(())
}

fn write_last(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use ExecutionStatus as E;
    match &event.kind {
        EventKind::ExecutionCompleted { output } => {
            close(execution, event, E::Succeeded, RUNNING)?;
            execution.output = Some(output.clone());
        }
        EventKind::ExecutionFailed { error, .. } => {
            close(execution, event, E::Failed, &[E::Running, E::Compensating])?;
            execution.error = Some(error.clone());
        }
        // A queued one can only be cancelled.
        _ => close(execution, event, E::Cancelled, &[E::Queued, E::Running, E::Compensating])?,
    }
    Ok(())
}

/// INVARIANT: an execution ends once, and none of its steps is open then.
fn close(
    execution: &mut Execution,
    event: &Event,
    status: ExecutionStatus,
    from: &[ExecutionStatus],
) -> Result<(), ApplyError> {
    in_status(execution, event, from)?;
    let open = execution.planned().find(|(_, _, state)| !state.status.is_terminal());
    if let Some((_, planned, state)) = open {
        return Err(ApplyError::Illegal {
            seq: event.seq,
            event: event.kind.name(),
            subject: format!("step \"{}\"", planned.id),
            status: state.status.as_str(),
        });
    }
    execution.status = status;
    execution.ended_at = Some(event.at);
    execution.deadline = None;
    Ok(())
}

fn write_begin(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use StepStatus as S;
    let at = event.at;
    match &event.kind {
        EventKind::StepReused { step, result, .. } => {
            in_status(execution, event, RUNNING)?;
            let place = Place { step, element: None };
            let bytes = json::bytes(result);
            change(execution, event, place, &[S::Pending], |state| {
                state.status = S::Succeeded;
                state.ended_at = Some(at);
                state.output = Some(result.clone());
            })?;
            execution.result_bytes += bytes;
        }
        EventKind::StepExpanded { step, items } => {
            in_status(execution, event, RUNNING)?;
            let place = Place { step, element: None };
            change(execution, event, place, &[S::Pending], |state| {
                state.status = S::Running;
                state.started_at = Some(at);
                state.fan_out = Some(Box::new(FanOut::new(items.clone())));
            })?;
        }
        EventKind::StepWaiting { step, element, wait, due_at } => {
            in_status(execution, event, RUNNING)?;
            let place = Place { step, element: *element };
            change(execution, event, place, &[S::Pending, S::Retrying], |state| {
                state.status = S::Waiting;
                state.due_at = *due_at;
                state.started_at.get_or_insert(at);
                state.waiting = Some(Waiting { wait: wait.clone(), approvals: Vec::new() });
            })?;
        }
        _ => return write_attempt(execution, event),
    }
    Ok(())
}

fn write_attempt(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use StepStatus as S;
    let at = event.at;
    match &event.kind {
        EventKind::StepStarted { step, element, phase: Phase::Run, attempt, deadline, decision } => {
            in_status(execution, event, RUNNING)?;
            let place = Place { step, element: *element };
            change(execution, event, place, &[S::Pending, S::Retrying], |state| {
                state.status = S::Running;
                state.attempt = *attempt;
                state.due_at = Some(*deadline);
                state.started_at.get_or_insert(at);
                state.decision = Some(decision.clone());
            })?;
        }
        EventKind::StepStarted { step, element, attempt, deadline, decision, .. } => {
            in_status(execution, event, COMPENSATING)?;
            let place = Place { step, element: *element };
            change_undo(execution, event, place, &[S::Pending, S::Retrying], |undo| {
                undo.status = S::Compensating;
                undo.attempt = *attempt;
                undo.due_at = Some(*deadline);
                undo.started_at.get_or_insert(at);
                undo.decision = Some(decision.clone());
            })?;
        }
        EventKind::StepRetrying { step, element, phase, error, due_at, bill, .. } => {
            let place = Place { step, element: *element };
            let again = |state: &mut super::StepState| {
                state.status = S::Retrying;
                state.error = Some(error.clone());
                state.due_at = Some(*due_at);
                add(&mut state.bill, bill);
            };
            if phase.is_run() {
                in_status(execution, event, MOVING)?;
                change(execution, event, place, &[S::Running], again)?;
            } else {
                in_status(execution, event, COMPENSATING)?;
                change_undo(execution, event, place, &[S::Compensating], again)?;
            }
            take(execution, place, bill);
        }
        _ => {}
    }
    Ok(())
}

fn write_end(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use StepStatus as S;
    let at = event.at;
    if !matches!(event.kind, EventKind::StepSkipped { .. }) {
        in_status(execution, event, MOVING)?;
    }
    match &event.kind {
        EventKind::StepCompleted { step, element, result, bill, .. } => {
            let place = Place { step, element: *element };
            change(execution, event, place, &[S::Running, S::Waiting], |state| {
                end(state, S::Succeeded, at, bill);
                state.error = None;
                state.output = Some(result.clone());
            })?;
            take(execution, place, bill);
            restart::completed(execution, place, json::bytes(result));
        }
        EventKind::StepFailed { step, element, error, bill, decision, result, .. } => {
            let place = Place { step, element: *element };
            let from = &[S::Running, S::Waiting, S::Pending, S::Retrying];
            change(execution, event, place, from, |state| {
                end(state, S::Failed, at, bill);
                state.error = Some(error.clone());
                state.output.clone_from(result);
                if decision.is_some() {
                    state.decision.clone_from(decision);
                }
            })?;
            take(execution, place, bill);
            if let Some(result) = result {
                restart::completed(execution, place, json::bytes(result));
            }
        }
        EventKind::StepSkipped { step, reason, cause } => {
            in_status(execution, event, &[ExecutionStatus::Queued, ExecutionStatus::Running])?;
            let place = Place { step, element: None };
            change(execution, event, place, &[S::Pending], |state| {
                end(state, S::Skipped, at, &crate::port::Bill::default());
                state.reason = Some(reason.clone());
                state.skipped = Some(*cause);
            })?;
        }
        EventKind::StepCancelled { step, element, bill, .. } => {
            let place = Place { step, element: *element };
            let from = &[S::Running, S::Waiting, S::Retrying, S::Parked];
            change(execution, event, place, from, |state| end(state, S::Cancelled, at, bill))?;
            take(execution, place, bill);
        }
        EventKind::StepParked { step, element, error, bill, .. } => {
            let place = Place { step, element: *element };
            change(execution, event, place, &[S::Running], |state| {
                state.status = S::Parked;
                state.due_at = None;
                state.error = Some(error.clone());
                add(&mut state.bill, bill);
            })?;
            take(execution, place, bill);
        }
        _ => {}
    }
    Ok(())
}

fn write_told(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    in_status(execution, event, MOVING)?;
    match &event.kind {
        EventKind::SignalReceived { step, element, .. } => {
            change(execution, event, Place { step, element: *element }, &[StepStatus::Waiting], |_| {})
        }
        EventKind::ApprovalRecorded { step, element, approved, approved_by, .. } => {
            let place = Place { step, element: *element };
            change(execution, event, place, &[StepStatus::Waiting], |state| {
                if let Some(waiting) = state.waiting.as_mut().filter(|_| *approved) {
                    waiting.approvals.push(approved_by.clone());
                }
            })
        }
        _ => Ok(()),
    }
}

fn write_undone(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use StepStatus as S;
    let at = event.at;
    in_status(execution, event, COMPENSATING)?;
    match &event.kind {
        EventKind::StepCompensated { step, element, result, bill, .. } => {
            let place = Place { step, element: *element };
            change_undo(execution, event, place, &[S::Compensating], |undo| {
                end(undo, S::Compensated, at, bill);
                undo.error = None;
                undo.output = Some(result.clone());
            })?;
            take(execution, place, bill);
        }
        EventKind::StepCompensationFailed { step, element, error, bill, decision, .. } => {
            let place = Place { step, element: *element };
            change_undo(execution, event, place, &[S::Compensating, S::Pending, S::Retrying], |undo| {
                end(undo, S::CompensationFailed, at, bill);
                undo.error = Some(error.clone());
                if decision.is_some() {
                    undo.decision.clone_from(decision);
                }
            })?;
            take(execution, place, bill);
        }
        _ => {}
    }
    Ok(())
}

/// Where the steps of a plan are looked up by the events.
fn position(execution: &Execution, event: &Event, step: &StepId) -> Result<usize, ApplyError> {
    let unknown = || ApplyError::UnknownStep { seq: event.seq, step: step.clone() };
    execution.plan.position(step.as_str()).ok_or_else(unknown)
}

fn slot_of(execution: &Execution, place: Place<'_>) -> Option<Slot> {
    let step = execution.plan.position(place.step.as_str())?;
    Some(Slot { step, element: place.element, phase: Phase::Run })
}
