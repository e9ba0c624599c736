//! What waiting steps are told: signals, approvals, the end of a child.

use serde_json::{Value, json};

use super::super::command::{ChildOutcome, Refusal};
use super::super::event::EventKind;
use super::super::execution::Execution;
use super::super::slot::Slot;
use super::super::step_state::{StepState, Waiting};
use super::settle::too_large;
use super::{Decided, find, moving, stopping};
use crate::builtin::Wait;
use crate::id::{ExecutionId, StepId};
use crate::json::Json;
use crate::port::{Bill, Requester};
use crate::problem::Problem;
use crate::schema::Schema;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// Somebody's answer to a step that waits for approval.
pub(super) struct Approval {
    pub step: Option<StepId>,
    pub element: Option<u32>,
    pub approved: bool,
    pub approved_by: Requester,
    pub comment: Option<String>,
}

fn listening(execution: &Execution) -> Result<(), Refusal> {
    moving(execution)?;
    if execution.status == ExecutionStatus::Compensating {
        return Err(Refusal::Compensating);
    }
    stopping(execution)
}

pub(super) fn signal(
    execution: &Execution,
    name: String,
    payload: Value,
    sent_by: Requester,
) -> Result<Decided, Refusal> {
    listening(execution)?;
    let found = execution.open_slots().find_map(|(slot, state)| match waits_for(state) {
        Some(Wait::Signal { name: expected, schema }) if *expected == name => Some((slot, schema.clone())),
        _ => None,
    });
    let Some((slot, schema)) = found else {
        return Err(Refusal::SignalNotExpected { name, waits: waits(execution) });
    };
    let (planned, _) = find(execution, slot.step)?;
    let step = planned.id.clone();
    // One that does not compile any more was written by another release; it refuses nothing.
    let schema = schema.and_then(|schema| Schema::compile(&schema).ok());
    let findings = schema.map(|schema| schema.findings(&payload, "", "payload")).unwrap_or_default();
    if !findings.is_empty() {
        return Err(Refusal::SignalInvalid { step, findings });
    }
    let payload: Json = payload.into();
    let element = slot.element;
    let received =
        EventKind::SignalReceived { step: step.clone(), element, name, payload: payload.clone(), sent_by };
    Ok(Decided { events: vec![received, ended(execution, slot, step, payload)], effects: Vec::new() })
}

pub(super) fn approve(execution: &Execution, approval: Approval) -> Result<Decided, Refusal> {
    listening(execution)?;
    let (slot, state) = awaiting_approval(execution, &approval)?;
    let (planned, _) = find(execution, slot.step)?;
    let Approval { approved, approved_by, comment, .. } = approval;
    if approved_by == execution.requested_by {
        return Err(Refusal::ApprovalByRequester);
    }
    let Some(Waiting { wait: Wait::Approval { approvals, .. }, approvals: given }) = &state.waiting else {
        return Err(Refusal::UnknownStep(slot.step));
    };
    if given.contains(&approved_by) {
        return Err(Refusal::ApprovalTwice(approved_by.id.to_string()));
    }
    let (step, element) = (planned.id.clone(), slot.element);
    let by: Vec<_> = given.iter().chain([&approved_by]).map(|person| person.id.clone()).collect();
    let enough = by.len() >= *approvals as usize;
    let refused = approval_refused(&approved_by, comment.as_deref());
    let recorded =
        EventKind::ApprovalRecorded { step: step.clone(), element, approved, approved_by, comment };
    let mut events = vec![recorded];
    if !approved {
        events.push(failed(step, element, refused));
    } else if enough {
        events.push(completed(step, element, json!({ "approved_by": by }).into()));
    }
    Ok(Decided { events, effects: Vec::new() })
}

fn approval_refused(by: &Requester, comment: Option<&str>) -> Problem {
    let said = comment.map(|comment| format!(": {comment}")).unwrap_or_default();
    Problem::new("approval-refused", format!("{} refused{said}", by.id))
}

fn awaiting_approval<'a>(
    execution: &'a Execution,
    approval: &Approval,
) -> Result<(Slot, &'a StepState), Refusal> {
    let asked = |slot: Slot| {
        let planned = execution.plan.step(slot.step);
        let named = approval.step.as_ref().is_none_or(|step| planned.is_some_and(|known| known.id == *step));
        named && approval.element.is_none_or(|element| slot.element == Some(element))
    };
    let waiting = |state: &StepState| matches!(waits_for(state), Some(Wait::Approval { .. }));
    let mut found = execution.open_slots().filter(|(slot, state)| asked(*slot) && waiting(state));
    let first = found.next().ok_or_else(|| {
        let subject = match &approval.step {
            Some(step) => format!("step \"{step}\""),
            None => "the execution".to_owned(),
        };
        Refusal::ApprovalNotExpected { subject, waits: waits(execution) }
    })?;
    let others: Vec<Slot> = found.map(|(slot, _)| slot).collect();
    if others.is_empty() {
        return Ok(first);
    }
    let names = std::iter::once(first.0).chain(others).filter_map(|slot| {
        let planned = execution.plan.step(slot.step)?;
        let element = slot.element.map(|element| format!(" element {element}")).unwrap_or_default();
        Some(format!("{}{element}", planned.id))
    });
    Err(Refusal::ApprovalAmbiguous(names.collect::<Vec<_>>().join(", ")))
}

pub(super) fn child_ended(
    execution: &Execution,
    slot: Slot,
    child: ExecutionId,
    outcome: ChildOutcome,
) -> Result<Decided, Refusal> {
    moving(execution)?;
    let (planned, step) = find(execution, slot.step)?;
    let stale = || Refusal::StaleAttempt { step: planned.id.clone(), attempt: 0 };
    let state = execution.slot(slot).ok_or_else(stale)?;
    let expected =
        matches!(waits_for(state), Some(Wait::Child { execution_id, .. }) if *execution_id == child);
    if !expected {
        return Err(stale());
    }
    let (step_id, element) = (planned.id.clone(), slot.element);
    let stopping = execution.is_stopping() || super::super::execution::is_failing(planned, step);
    Ok(Decided::event(match outcome {
        ChildOutcome::Succeeded(output) => {
            ended(execution, slot, step_id, json!({ "execution_id": child, "output": output }).into())
        }
        ChildOutcome::Failed(_) if stopping => {
            EventKind::StepCancelled { step: step_id, element, attempt: 0, bill: Bill::default() }
        }
        ChildOutcome::Failed(error) => failed(step_id, element, error),
    }))
}

/// What somebody else gave, if it is not more than a step may hold.
fn ended(execution: &Execution, slot: Slot, step: StepId, result: Json) -> EventKind {
    match too_large(execution, slot, &result) {
        None => completed(step, slot.element, result),
        Some(error) => failed(step, slot.element, error),
    }
}

/// A wait is no attempt, and costs nothing.
pub(super) fn failed(step: StepId, element: Option<u32>, error: Problem) -> EventKind {
    EventKind::StepFailed {
        step,
        element,
        attempt: 0,
        error,
        bill: Bill::default(),
        decision: None,
        result: None,
    }
}

pub(super) fn completed(step: StepId, element: Option<u32>, result: Json) -> EventKind {
    EventKind::StepCompleted { step, element, attempt: 0, result, bill: Bill::default() }
}

pub(super) fn waits_for(state: &StepState) -> Option<&Wait> {
    let waiting = state.waiting.as_ref().filter(|_| state.status == StepStatus::Waiting)?;
    Some(&waiting.wait)
}

/// What the execution waits for, for somebody who told it something else.
fn waits(execution: &Execution) -> String {
    let mut waits: Vec<String> = execution
        .open_slots()
        .filter_map(|(slot, state)| {
            let step = &execution.plan.step(slot.step)?.id;
            Some(match waits_for(state)? {
                Wait::Timer => format!("step \"{step}\" for a time"),
                Wait::Signal { name, .. } => format!("step \"{step}\" for the signal \"{name}\""),
                Wait::Approval { .. } => format!("step \"{step}\" for approval"),
                Wait::Child { intent, .. } => format!("step \"{step}\" for an execution of \"{intent}\""),
            })
        })
        .collect();
    waits.dedup();
    const NAMED_MAX: usize = 5;
    waits.truncate(NAMED_MAX);
    match waits.as_slice() {
        [] => format!("the execution is {} and waits for nothing of the kind", execution.status),
        waits => format!("it waits: {}", waits.join(", ")),
    }
}
