//! An attempt ended: with a result, with another attempt to come, or for good.

use serde_json::Value;

use super::super::command::Refusal;
use super::super::event::EventKind;
use super::super::execution::{Execution, is_failing};
use super::super::slot::{Phase, Slot};
use super::super::step_state::StepState;
use super::{Decided, find, moving};
use crate::id::StepId;
use crate::intent::{OnExhausted, RetryPolicy};
use crate::json;
use crate::limits::{EXECUTION_BYTES_MAX, RESULT_BYTES_MAX, TIMEOUT_MS_MAX};
use crate::manifest::Effects;
use crate::plan::{PinnedAction, PlannedStep};
use crate::port::{AttemptOutcome, AttemptReport, Bill, Failure, FailureKind};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::StepStatus;

/// The end of one attempt.
pub(super) struct Ended {
    pub slot: Slot,
    pub attempt: u32,
    pub report: AttemptReport,
    pub chance: f64,
}

pub(super) fn settle(execution: &Execution, ended: Ended, now: Timestamp) -> Result<Decided, Refusal> {
    moving(execution)?;
    let Ended { slot, attempt, report, chance } = ended;
    let (planned, step) = find(execution, slot.step)?;
    let stale = || Refusal::StaleAttempt { step: planned.id.clone(), attempt };
    let state = execution.slot(slot).ok_or_else(stale)?;
    let running = if slot.phase.is_run() { StepStatus::Running } else { StepStatus::Compensating };
    if state.status != running || state.attempt != attempt || state.fan_out.is_some() {
        return Err(stale());
    }
    let Some(call) = Call::of(planned, slot.phase) else { return Err(stale()) };
    let stopping = slot.phase.is_run() && (execution.is_stopping() || is_failing(planned, step));
    let end = End { execution, planned, call, state, slot, attempt, bill: report.bill, now };
    Ok(match report.outcome {
        AttemptOutcome::Completed(result) => end.complete(result),
        AttemptOutcome::Failed(failure) if !stopping => end.fail(failure, chance),
        AttemptOutcome::Failed(_) | AttemptOutcome::Cancelled if stopping => end.cancelled(),
        AttemptOutcome::Failed(failure) => end.failed(failure.problem),
        AttemptOutcome::Cancelled => {
            let message = "the plugin returned \"cancelled\" though nobody cancelled the execution";
            end.failed(Problem::new("cancelled-by-plugin", message))
        }
    })
}

/// The action of a slot with its retries.
struct Call<'a> {
    action: &'a PinnedAction,
    retry: &'a RetryPolicy,
}

impl<'a> Call<'a> {
    fn of(planned: &'a PlannedStep, phase: Phase) -> Option<Self> {
        match phase {
            Phase::Run => Some(Self { action: planned.action.component()?, retry: &planned.retry }),
            Phase::Compensate => {
                planned.compensate.as_ref().map(|undo| Self { action: &undo.action, retry: &undo.retry })
            }
        }
    }

    /// Whether this kind of failure is followed by another attempt at all.
    fn may_retry(&self, kind: FailureKind) -> bool {
        let at_most_once = self.at_most_once();
        match kind {
            FailureKind::Retryable => true,
            FailureKind::HostFault | FailureKind::Lost => !at_most_once,
            FailureKind::Trap | FailureKind::Timeout => self.action.idempotent && !at_most_once,
            FailureKind::Permanent
            | FailureKind::CpuLimit
            | FailureKind::MemoryLimit
            | FailureKind::OutputLimit
            | FailureKind::InvalidOutput
            | FailureKind::Denied
            | FailureKind::Unavailable => false,
        }
    }

    fn at_most_once(&self) -> bool {
        self.action.effects == Effects::AtMostOnce
    }
}

/// Everything that decides what follows.
struct End<'a> {
    execution: &'a Execution,
    planned: &'a PlannedStep,
    call: Call<'a>,
    state: &'a StepState,
    slot: Slot,
    attempt: u32,
    bill: Bill,
    now: Timestamp,
}

impl End<'_> {
    fn step(&self) -> StepId {
        self.planned.id.clone()
    }

    fn complete(self, result: Value) -> Decided {
        if self.slot.phase.is_run()
            && let Some(error) = too_large(self.execution, self.slot, &result)
        {
            return self.failed(error);
        }
        let (step, element, attempt, bill) = (self.step(), self.slot.element, self.attempt, self.bill);
        let result = result.into();
        Decided::event(match self.slot.phase {
            Phase::Run => EventKind::StepCompleted { step, element, attempt, result, bill },
            Phase::Compensate => EventKind::StepCompensated { step, element, attempt, result, bill },
        })
    }

    fn cancelled(self) -> Decided {
        let (step, element) = (self.step(), self.slot.element);
        Decided::event(EventKind::StepCancelled { step, element, attempt: self.attempt, bill: self.bill })
    }

    fn failed(self, error: Problem) -> Decided {
        let (step, element, attempt, bill) = (self.step(), self.slot.element, self.attempt, self.bill);
        let decision = None;
        Decided::event(match self.slot.phase {
            Phase::Run => {
                EventKind::StepFailed { step, element, attempt, error, bill, decision, result: None }
            }
            Phase::Compensate => {
                EventKind::StepCompensationFailed { step, element, attempt, error, bill, decision }
            }
        })
    }

    fn parked(self, error: Problem) -> Decided {
        let (step, element, attempt, bill) = (self.step(), self.slot.element, self.attempt, self.bill);
        Decided::event(EventKind::StepParked { step, element, attempt, error, bill })
    }

    fn fail(self, failure: Failure, chance: f64) -> Decided {
        let Failure { kind, problem: mut error, retry_after_ms } = failure;
        let retry = self.call.retry;
        error.retryable = self.call.may_retry(kind) && !retry.non_retryable.contains(&error.code);
        let run = self.slot.phase.is_run();
        if run && kind == FailureKind::Lost && self.call.at_most_once() {
            return self.parked(error);
        }
        if !error.retryable {
            return self.failed(error);
        }
        let due_at = self.now.plus_millis(self.interval_ms(kind, retry_after_ms, chance));
        if self.is_exhausted(due_at) {
            let park = run && self.planned.on_exhausted == OnExhausted::Park;
            return if park { self.parked(error) } else { self.failed(error) };
        }
        let (step, element, phase) = (self.step(), self.slot.element, self.slot.phase);
        let (attempt, bill) = (self.attempt, self.bill);
        Decided::event(EventKind::StepRetrying { step, element, phase, attempt, error, due_at, bill })
    }

    fn interval_ms(&self, kind: FailureKind, retry_after_ms: Option<u64>, chance: f64) -> u64 {
        match kind {
            // The host was away long enough; and nobody else is to be spared.
            FailureKind::Lost => 0,
            _ => {
                let counted = self.attempt - self.state.attempts_before;
                let interval = self.call.retry.interval_ms(counted, chance);
                interval.max(retry_after_ms.unwrap_or(0)).min(TIMEOUT_MS_MAX)
            }
        }
    }

    fn is_exhausted(&self, due_at: Timestamp) -> bool {
        let counted = self.attempt - self.state.attempts_before;
        let first = self.state.started_at.unwrap_or(self.now);
        let last = self.call.retry.budget_ms.map(|budget| first.plus_millis(budget));
        counted >= self.call.retry.max_attempts || last.is_some_and(|last| due_at > last)
    }
}

/// Whether a result is more than a step, or the whole execution, may hold.
pub(super) fn too_large(execution: &Execution, slot: Slot, result: &Value) -> Option<Problem> {
    let bytes = json::bytes(result);
    let all = execution.result_bytes + bytes;
    if all > EXECUTION_BYTES_MAX {
        let message =
            format!("the results of this execution have {all} bytes, {EXECUTION_BYTES_MAX} are allowed");
        return Some(Problem::new("results-too-large", message));
    }
    let before = execution.step(slot.step)?.fan_out.as_ref().map_or(0, |fan_out| fan_out.result_bytes);
    let step = before + bytes;
    (step > RESULT_BYTES_MAX).then(|| {
        let message = format!("the results of the step have {step} bytes, {RESULT_BYTES_MAX} are allowed");
        Problem::new("results-too-large", message)
    })
}
