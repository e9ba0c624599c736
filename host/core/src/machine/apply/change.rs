//! One change of one state, held against the states in which it may happen.

use super::super::event::Event;
use super::super::execution::Execution;
use super::super::step_state::{FanOut, StepState};
use super::{ApplyError, position};
use crate::id::StepId;
use crate::port::Bill;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// A step, or an element of it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub step: &'a StepId,
    pub element: Option<u32>,
}

pub(super) fn in_status(
    execution: &Execution,
    event: &Event,
    legal: &[ExecutionStatus],
) -> Result<(), ApplyError> {
    if legal.contains(&execution.status) {
        return Ok(());
    }
    let status = execution.status.as_str();
    Err(illegal(event, "the execution".to_owned(), status))
}

/// Changes the state of a step or an element that is in one of the legal states.
pub(super) fn change(
    execution: &mut Execution,
    event: &Event,
    place: Place<'_>,
    legal: &[StepStatus],
    write: impl FnOnce(&mut StepState),
) -> Result<(), ApplyError> {
    let at = position(execution, event, place.step)?;
    let unknown = || ApplyError::UnknownStep { seq: event.seq, step: place.step.clone() };
    let step = execution.steps.get_mut(at).ok_or_else(unknown)?;
    let Some(element) = place.element else {
        check(event, place, step.status, legal)?;
        write(step);
        return Ok(());
    };
    let status = step.status;
    let running = step.fan_out.as_mut().filter(|_| status == StepStatus::Running);
    let Some(fan_out) = running else {
        return Err(illegal(event, subject(Place { element: None, ..place }), status.as_str()));
    };
    change_element(fan_out, element, event, place, legal, write)
}

fn change_element(
    fan_out: &mut FanOut,
    element: u32,
    event: &Event,
    place: Place<'_>,
    legal: &[StepStatus],
    write: impl FnOnce(&mut StepState),
) -> Result<(), ApplyError> {
    let known = fan_out.elements.len();
    let at = element as usize;
    if at > known || at >= fan_out.len() {
        return Err(ApplyError::UnknownElement { seq: event.seq, step: place.step.clone(), element });
    }
    let before = fan_out.element(element).map_or(StepStatus::Pending, |state| state.status);
    check(event, place, before, legal)?;
    if at == known {
        fan_out.elements.push(StepState::default());
    }
    let Some(state) = fan_out.elements.get_mut(at) else { return Ok(()) };
    write(state);
    let after = state.status;
    fan_out.moved(element, before, after);
    Ok(())
}

/// Changes the compensation of something that completed; one that has not begun counts as pending.
pub(super) fn change_undo(
    execution: &mut Execution,
    event: &Event,
    place: Place<'_>,
    legal: &[StepStatus],
    write: impl FnOnce(&mut StepState),
) -> Result<(), ApplyError> {
    let at = position(execution, event, place.step)?;
    let step = execution.steps.get_mut(at);
    let state = match place.element {
        None => step,
        Some(element) => step
            .and_then(|step| step.fan_out.as_mut())
            .and_then(|fan_out| fan_out.elements.get_mut(element as usize)),
    };
    let Some(state) = state.filter(|state| state.status == StepStatus::Succeeded) else {
        return Err(illegal(event, subject(place), "not completed"));
    };
    let status = state.undo.as_ref().map_or(StepStatus::Pending, |undo| undo.status);
    check(event, place, status, legal)?;
    write(state.undo.get_or_insert_default());
    Ok(())
}

fn check(
    event: &Event,
    place: Place<'_>,
    status: StepStatus,
    legal: &[StepStatus],
) -> Result<(), ApplyError> {
    if legal.contains(&status) {
        return Ok(());
    }
    Err(illegal(event, subject(place), status.as_str()))
}

fn subject(place: Place<'_>) -> String {
    match place.element {
        None => format!("step \"{}\"", place.step),
        Some(element) => format!("element {element} of step \"{}\"", place.step),
    }
}

fn illegal(event: &Event, subject: String, status: &'static str) -> ApplyError {
    ApplyError::Illegal { seq: event.seq, event: event.kind.name(), subject, status }
}

pub(super) fn end(state: &mut StepState, status: StepStatus, at: Timestamp, bill: &Bill) {
    state.status = status;
    state.ended_at = Some(at);
    state.due_at = None;
    state.waiting = None;
    add(&mut state.bill, bill);
}

pub(super) fn add(sum: &mut Bill, bill: &Bill) {
    sum.cpu_us += bill.cpu_us;
    sum.wall_us += bill.wall_us;
    sum.memory_bytes_peak = sum.memory_bytes_peak.max(bill.memory_bytes_peak);
    sum.host_calls += bill.host_calls;
    sum.sent_bytes += bill.sent_bytes;
    sum.received_bytes += bill.received_bytes;
}

/// What an element used is on the bill of its step too.
pub(super) fn take(execution: &mut Execution, place: Place<'_>, bill: &Bill) {
    if place.element.is_none() {
        return;
    }
    let at = execution.plan.position(place.step.as_str());
    if let Some(step) = at.and_then(|at| execution.steps.get_mut(at)) {
        add(&mut step.bill, bill);
    }
}
