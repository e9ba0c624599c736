//! Undoing what completed, last first, and how an execution that did not succeed ends.

use serde_json::json;

use super::super::command::Effect;
use super::super::event::EventKind;
use super::super::execution::Execution;
use super::Decided;
use super::proceed::finish;
use crate::duration::duration_text;
use crate::problem::Problem;
use crate::vocabulary::StepStatus;

pub(super) fn proceed(execution: &Execution) -> Decided {
    if execution.next_undo().is_some() {
        return Decided::default();
    }
    Decided::event(stopped(execution)).with(Effect::Ended)
}

pub(super) fn stopped(execution: &Execution) -> EventKind {
    if execution.cancel_requested {
        return EventKind::ExecutionCancelled;
    }
    let failed = execution.failures().min_by_key(|(_, _, state)| state.ended_at);
    let (error, step) = match failed {
        Some((_, planned, state)) => {
            let error = state.error.clone().unwrap_or_else(|| Problem::new("host-fault", "the step failed"));
            (error, Some(planned.id.clone()))
        }
        None if execution.timed_out => {
            let timeout = duration_text(execution.plan.document.timeout_ms.unwrap_or(0));
            let message = format!("the execution did not end within its timeout of {timeout}");
            (Problem::new("execution-timeout", message), None)
        }
        None => match finish(execution) {
            EventKind::ExecutionFailed { error, step } => (error, step),
            _ => (Problem::new("host-fault", "no step failed"), None),
        },
    };
    EventKind::ExecutionFailed { error: with_left_over(execution, error), step }
}

/// What could not be undone is still there: whoever reads the error has to know.
fn with_left_over(execution: &Execution, mut error: Problem) -> Problem {
    let left: Vec<&str> = execution
        .undo
        .iter()
        .filter(|slot| {
            let undo = execution.slot(slot.undone());
            undo.is_some_and(|undo| undo.status == StepStatus::CompensationFailed)
        })
        .filter_map(|slot| Some(execution.plan.step(slot.step)?.id.as_str()))
        .collect();
    if !left.is_empty() {
        error.details = Some(json!({ "cause": error.details, "compensation_failed": left }));
    }
    error
}
