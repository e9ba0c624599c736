//! `apply`: the only writer of an execution. An event that its state does not allow is an error.

use super::event::{EVENT_FORMAT, Event, EventKind};
use super::execution::{Execution, StepState};
use crate::id::StepId;
use crate::json;
use crate::port::Bill;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// Why an event cannot have happened to this execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error("event {found} follows event {last}: the log has a gap or a repeat")]
    Sequence { last: u64, found: u64 },
    #[error("event {seq} has format {format}; this host reads up to {EVENT_FORMAT}: run a newer host")]
    Format { seq: u64, format: u32 },
    #[error("event {seq} names the step \"{step}\", which the plan does not have")]
    UnknownStep { seq: u64, step: StepId },
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

fn write(execution: &mut Execution, event: &Event) -> Result<(), ApplyError> {
    use ExecutionStatus as E;
    use StepStatus as S;
    let at = event.at;
    match &event.kind {
        EventKind::ExecutionStarted { .. } => {
            in_status(execution, event, E::Queued)?;
            execution.status = E::Running;
            execution.started_at = Some(at);
        }
        EventKind::StepStarted { step, attempt, deadline, decision } => {
            let state = step_in(execution, event, step, &[S::Pending, S::Retrying])?;
            state.status = S::Running;
            state.attempt = *attempt;
            state.due_at = Some(*deadline);
            state.started_at.get_or_insert(at);
            state.decision = Some(decision.clone());
        }
        EventKind::StepRetrying { step, error, due_at, bill, .. } => {
            let state = step_in(execution, event, step, &[S::Running])?;
            state.status = S::Retrying;
            state.error = Some(error.clone());
            state.due_at = Some(*due_at);
            add(&mut state.bill, bill);
        }
        EventKind::StepCompleted { step, result, bill, .. } => {
            let state = step_in(execution, event, step, &[S::Running])?;
            end(state, S::Succeeded, at, bill);
            state.error = None;
            state.output = Some(result.clone());
            execution.result_bytes += json::bytes(result);
        }
        EventKind::StepFailed { step, error, bill, decision, .. } => {
            let state = step_in(execution, event, step, &[S::Running, S::Pending, S::Retrying])?;
            end(state, S::Failed, at, bill);
            state.error = Some(error.clone());
            if decision.is_some() {
                state.decision.clone_from(decision);
            }
        }
        EventKind::StepSkipped { step, reason } => {
            let state = step_in(execution, event, step, &[S::Pending])?;
            end(state, S::Skipped, at, &Bill::default());
            state.reason = Some(reason.clone());
        }
        EventKind::StepCancelled { step, bill, .. } => {
            let state = step_in(execution, event, step, &[S::Running, S::Retrying])?;
            end(state, S::Cancelled, at, bill);
        }
        EventKind::CancelRequested { .. } => {
            in_status(execution, event, E::Running)?;
            execution.cancel_requested = true;
        }
        EventKind::ExecutionCompleted { output } => {
            close(execution, event, E::Succeeded)?;
            execution.output = Some(output.clone());
        }
        EventKind::ExecutionFailed { error, .. } => {
            close(execution, event, E::Failed)?;
            execution.error = Some(error.clone());
        }
        EventKind::ExecutionCancelled => close(execution, event, E::Cancelled)?,
    }
    Ok(())
}

fn in_status(execution: &Execution, event: &Event, status: ExecutionStatus) -> Result<(), ApplyError> {
    if execution.status == status {
        return Ok(());
    }
    let subject = "the execution".to_owned();
    Err(ApplyError::Illegal {
        seq: event.seq,
        event: event.kind.name(),
        subject,
        status: execution.status.as_str(),
    })
}

/// INVARIANT: an execution ends once, and none of its steps is open then.
fn close(execution: &mut Execution, event: &Event, status: ExecutionStatus) -> Result<(), ApplyError> {
    in_status(execution, event, ExecutionStatus::Running)?;
    let open =
        execution.plan.document.steps.iter().zip(&execution.steps).find(|(_, s)| !s.status.is_terminal());
    if let Some((planned, state)) = open {
        let subject = format!("step \"{}\"", planned.id);
        let status = state.status.as_str();
        return Err(ApplyError::Illegal { seq: event.seq, event: event.kind.name(), subject, status });
    }
    execution.status = status;
    execution.ended_at = Some(event.at);
    Ok(())
}

fn step_in<'a>(
    execution: &'a mut Execution,
    event: &Event,
    step: &StepId,
    legal: &[StepStatus],
) -> Result<&'a mut StepState, ApplyError> {
    in_status(execution, event, ExecutionStatus::Running)?;
    let position = execution.plan.position(step.as_str());
    let state = position.and_then(|at| execution.steps.get_mut(at));
    let state = state.ok_or_else(|| ApplyError::UnknownStep { seq: event.seq, step: step.clone() })?;
    if legal.contains(&state.status) {
        return Ok(state);
    }
    let subject = format!("step \"{step}\"");
    Err(ApplyError::Illegal {
        seq: event.seq,
        event: event.kind.name(),
        subject,
        status: state.status.as_str(),
    })
}

fn end(state: &mut StepState, status: StepStatus, at: Timestamp, bill: &Bill) {
    state.status = status;
    state.ended_at = Some(at);
    state.due_at = None;
    add(&mut state.bill, bill);
}

fn add(sum: &mut Bill, bill: &Bill) {
    sum.cpu_us += bill.cpu_us;
    sum.wall_us += bill.wall_us;
    sum.memory_bytes_peak = sum.memory_bytes_peak.max(bill.memory_bytes_peak);
    sum.host_calls += bill.host_calls;
    sum.sent_bytes += bill.sent_bytes;
    sum.received_bytes += bill.received_bytes;
}
