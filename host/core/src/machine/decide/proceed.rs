//! What follows from the state and the time, without anybody asking.

use serde_json::Value;

use super::super::command::Effect;
use super::super::event::{EventKind, SkipCause};
use super::super::execution::{Execution, is_failing};
use super::super::slot::Slot;
use super::super::step_state::{FanOut, StepState};
use super::tell::{completed, failed, waits_for};
use super::{Decided, undo};
use crate::builtin::Wait;
use crate::intent::OnError;
use crate::plan::PlannedStep;
use crate::port::Bill;
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// One round: whoever calls applies it and calls again, until nothing follows any more.
pub(super) fn proceed(execution: &Execution, now: Timestamp) -> Decided {
    match execution.status {
        ExecutionStatus::Queued if execution.cancel_requested => stop(execution),
        ExecutionStatus::Running if execution.is_stopping() => stop(execution),
        ExecutionStatus::Running => run(execution, now),
        ExecutionStatus::Compensating => undo::proceed(execution),
        _ => Decided::default(),
    }
}

fn run(execution: &Execution, now: Timestamp) -> Decided {
    if execution.deadline.is_some_and(|deadline| deadline <= now) {
        return Decided::event(EventKind::ExecutionTimedOut);
    }
    let mut decided = waits_over(execution, now);
    for (at, planned, state) in execution.planned() {
        if let Some(fan_out) = state.fan_out.as_deref().filter(|_| state.status == StepStatus::Running) {
            gather(at, planned, state, fan_out, &mut decided);
        }
    }
    if !decided.events.is_empty() || execution.next_ready(now).is_some() {
        return decided;
    }
    if execution.steps.iter().all(|step| step.status.is_terminal()) {
        let end = finish(execution);
        let undoes = matches!(end, EventKind::ExecutionFailed { .. }) && execution.next_undo().is_some();
        if undoes {
            decided.events.push(EventKind::CompensationStarted);
        } else {
            decided.events.push(end);
            decided.effects.push(Effect::Ended);
        }
    } else if !execution.steps.iter().any(|step| is_open(step.status)) && execution.has(StepStatus::Parked) {
        decided.events.push(EventKind::ExecutionParked);
    }
    decided
}

const fn is_open(status: StepStatus) -> bool {
    matches!(status, StepStatus::Running | StepStatus::Retrying | StepStatus::Waiting)
}

/// Waits whose time is over: what was waited for a time goes on, what waited for somebody fails.
fn waits_over(execution: &Execution, now: Timestamp) -> Decided {
    let mut decided = Decided::default();
    let due = |state: &StepState| state.due_at.is_some_and(|due| due <= now);
    for (slot, state) in execution.open_slots() {
        let (Some(wait), true) = (waits_for(state), due(state)) else { continue };
        let Some(planned) = execution.plan.step(slot.step) else { continue };
        let (step, element) = (planned.id.clone(), slot.element);
        if let Wait::Child { execution_id, .. } = wait {
            decided.effects.push(Effect::CancelChild { child: *execution_id });
        }
        let what = match wait {
            Wait::Timer => {
                decided.events.push(completed(step, element, Value::Null.into()));
                continue;
            }
            Wait::Signal { name, .. } => format!("the signal \"{name}\" did not come in time"),
            Wait::Approval { approvals, .. } => {
                let given = state.waiting.as_ref().map_or(0, |waiting| waiting.approvals.len());
                format!("{given} of {approvals} approvals came in time")
            }
            Wait::Child { intent, .. } => format!("the execution of \"{intent}\" did not end in time"),
        };
        decided.events.push(failed(step, element, Problem::new("wait-timeout", what)));
    }
    decided
}

/// Ends a step with `for_each` when its elements have, or closes what is open of it after one failed.
fn gather(at: usize, planned: &PlannedStep, state: &StepState, fan_out: &FanOut, decided: &mut Decided) {
    if is_failing(planned, state) {
        close_elements(at, planned, fan_out, decided);
        if fan_out.open.is_empty() && fan_out.parked == 0 {
            decided.events.push(elements_failed(planned, state, fan_out, None));
        }
        return;
    }
    let (step, bill) = (planned.id.clone(), Bill::default());
    if fan_out.is_done() {
        let result = fan_out.results();
        decided.events.push(if fan_out.failed == 0 {
            EventKind::StepCompleted {
                step,
                element: None,
                attempt: state.attempt,
                result: result.into(),
                bill,
            }
        } else {
            elements_failed(planned, state, fan_out, Some(result))
        });
    } else if fan_out.parked > 0 && fan_out.open.is_empty() && fan_out.elements.len() == fan_out.len() {
        let message = format!("{} of {} elements wait for an operator", fan_out.parked, fan_out.len());
        let error = Problem::new("element-parked", message);
        decided.events.push(EventKind::StepParked {
            step,
            element: None,
            attempt: state.attempt,
            error,
            bill,
        });
    }
}

fn elements_failed(
    planned: &PlannedStep,
    state: &StepState,
    fan_out: &FanOut,
    result: Option<Value>,
) -> EventKind {
    let failed = fan_out.elements.iter().enumerate().filter(|(_, state)| state.status == StepStatus::Failed);
    let first = failed.min_by_key(|(_, state)| state.ended_at);
    let error = match first.and_then(|(at, state)| Some((at, state.error.as_ref()?))) {
        Some((at, error)) => {
            let message = format!("element {at} of {}: {error}", fan_out.len());
            let details = serde_json::json!({
                "element": at, "failed": fan_out.failed, "elements": fan_out.len(), "error": error
            });
            Problem { details: Some(details), ..Problem::new("element-failed", message) }
        }
        None => Problem::new("element-failed", "an element failed"),
    };
    EventKind::StepFailed {
        step: planned.id.clone(),
        element: None,
        attempt: state.attempt,
        error,
        bill: Bill::default(),
        decision: None,
        result: result.filter(|_| planned.on_error == OnError::Continue).map(Into::into),
    }
}

fn close_elements(at: usize, planned: &PlannedStep, fan_out: &FanOut, decided: &mut Decided) {
    for (state, element) in fan_out.elements.iter().zip(0..) {
        close(Slot::element(at, element), planned, state, decided);
    }
}

/// Ends what does not run, and interrupts what does.
fn close(slot: Slot, planned: &PlannedStep, state: &StepState, decided: &mut Decided) {
    let cancelled = EventKind::StepCancelled {
        step: planned.id.clone(),
        element: slot.element,
        attempt: state.attempt,
        bill: Bill::default(),
    };
    match (state.status, waits_for(state)) {
        (_, Some(Wait::Child { execution_id, .. })) => {
            decided.effects.push(Effect::CancelChild { child: *execution_id });
        }
        (StepStatus::Retrying | StepStatus::Parked | StepStatus::Waiting, _) => {
            decided.events.push(cancelled)
        }
        (StepStatus::Running, _) => decided.effects.push(Effect::Interrupt { slot }),
        _ => {}
    }
}

/// Ends the steps that do not run, interrupts those that do, and undoes or ends the execution when none runs any more.
fn stop(execution: &Execution) -> Decided {
    let mut decided = Decided::default();
    for (at, planned, state) in execution.planned() {
        match (state.status, state.fan_out.as_deref()) {
            (StepStatus::Pending, _) => {
                let reason = stop_reason(execution).to_owned();
                let (step, cause) = (planned.id.clone(), SkipCause::Stopped);
                decided.events.push(EventKind::StepSkipped { step, reason, cause });
            }
            (StepStatus::Running, Some(fan_out)) => {
                close_elements(at, planned, fan_out, &mut decided);
                if fan_out.open.is_empty() && fan_out.parked == 0 {
                    decided.events.push(fan_out_stopped(planned, state, fan_out));
                }
            }
            _ => close(Slot::step(at), planned, state, &mut decided),
        }
    }
    if !decided.events.is_empty() || execution.steps.iter().any(|step| is_open(step.status)) {
        return decided;
    }
    if execution.next_undo().is_some() {
        decided.events.push(EventKind::CompensationStarted);
    } else {
        decided.events.push(undo::stopped(execution));
        decided.effects.push(Effect::Ended);
    }
    decided
}

/// A step whose own element failed has failed, whatever else stopped the execution meanwhile.
fn fan_out_stopped(planned: &PlannedStep, state: &StepState, fan_out: &FanOut) -> EventKind {
    if is_failing(planned, state) {
        return elements_failed(planned, state, fan_out, None);
    }
    EventKind::StepCancelled {
        step: planned.id.clone(),
        element: None,
        attempt: state.attempt,
        bill: Bill::default(),
    }
}

fn stop_reason(execution: &Execution) -> &'static str {
    if execution.cancel_requested {
        "the execution was cancelled before this step could start"
    } else if execution.timed_out {
        "the execution's time was over before this step could start"
    } else {
        "the execution failed before this step could start"
    }
}

/// With the output, or the reason why there is none.
pub(super) fn finish(execution: &Execution) -> EventKind {
    let skipped = |id: &str| {
        let state = execution.plan.position(id).and_then(|at| execution.step(at));
        state.is_some_and(|state| state.skipped == Some(SkipCause::DryRun))
    };
    let template = execution.plan.output();
    // The output of a dry run is what it can be without the steps that it left out.
    let template = template.filter(|template| !template.steps().iter().any(|(id, _)| skipped(id)));
    let Some(template) = template else {
        return EventKind::ExecutionCompleted { output: Value::Null.into() };
    };
    match execution.with_scope(None, |scope| template.evaluate(scope)) {
        Ok(output) => EventKind::ExecutionCompleted { output: output.into() },
        Err(error) => {
            let message = format!("the output of the intent: {error}");
            EventKind::ExecutionFailed { error: Problem::new("expression-failed", message), step: None }
        }
    }
}
