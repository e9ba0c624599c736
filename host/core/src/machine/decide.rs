//! `decide`: what a command makes happen to an execution. Pure; time and chance are arguments.

use serde_json::Value;

use super::admission::Admission;
use super::command::{Command, Effect, Refusal};
use super::event::EventKind;
use super::execution::{Execution, StepState};
use crate::id::StepId;
use crate::json;
use crate::limits::{EXECUTION_BYTES_MAX, TIMEOUT_MS_MAX};
use crate::manifest::Effects;
use crate::plan::PlannedStep;
use crate::port::{AttemptOutcome, AttemptReport, Bill, Failure, FailureKind, Requester};
use crate::problem::Problem;
use crate::time::Timestamp;
use crate::vocabulary::{ExecutionStatus, StepStatus};

/// What happens, and what is to be done once it is durable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    pub events: Vec<EventKind>,
    pub effects: Vec<Effect>,
}

impl Decided {
    fn event(kind: EventKind) -> Self {
        Self { events: vec![kind], effects: Vec::new() }
    }

    fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}

pub fn decide(execution: &Execution, command: Command, now: Timestamp) -> Result<Decided, Refusal> {
    match command {
        Command::Start => start(execution),
        Command::Admit { step, admission } => admit(execution, step, admission, now),
        Command::Settle { step, attempt, report, chance } => {
            settle(execution, step, attempt, report, chance, now)
        }
        Command::Cancel { requested_by, reason } => cancel(execution, requested_by, reason),
        Command::Wake => running(execution).map(|()| Decided::default()),
        Command::Proceed => Ok(proceed(execution)),
    }
}

fn running(execution: &Execution) -> Result<(), Refusal> {
    match execution.status {
        ExecutionStatus::Queued => Err(Refusal::NotStarted),
        status if status.is_terminal() => Err(Refusal::AlreadyEnded),
        _ => Ok(()),
    }
}

fn start(execution: &Execution) -> Result<Decided, Refusal> {
    if execution.status != ExecutionStatus::Queued {
        return Err(Refusal::AlreadyStarted);
    }
    let intent = &execution.plan.document.intent;
    let intent = format!("{}-v{}", intent.name, intent.version);
    Ok(Decided::event(EventKind::ExecutionStarted { intent, requested_by: execution.requested_by.clone() }))
}

fn find(execution: &Execution, step: usize) -> Result<(&PlannedStep, &StepState), Refusal> {
    execution.plan.step(step).zip(execution.step(step)).ok_or(Refusal::UnknownStep(step))
}

fn admit(
    execution: &Execution,
    step: usize,
    admission: Admission,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    running(execution)?;
    let (planned, state) = find(execution, step)?;
    if execution.next_ready(now) != Some(step) {
        return Err(Refusal::NotReady(planned.id.clone()));
    }
    let id = planned.id.clone();
    Ok(match admission {
        Admission::Start { parameters, decision } => {
            let attempt = state.attempt + 1;
            let deadline = now.plus_millis(planned.timeout_ms);
            Decided::event(EventKind::StepStarted { step: id, attempt, deadline, decision })
                .with(Effect::Run { step, attempt, parameters, deadline })
        }
        Admission::Refuse { error, decision } => {
            let bill = Bill::default();
            Decided::event(EventKind::StepFailed { step: id, attempt: state.attempt, error, bill, decision })
        }
    })
}

fn settle(
    execution: &Execution,
    step: usize,
    attempt: u32,
    report: AttemptReport,
    chance: f64,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    running(execution)?;
    let (planned, state) = find(execution, step)?;
    if state.status != StepStatus::Running || state.attempt != attempt {
        return Err(Refusal::StaleAttempt { step: planned.id.clone(), attempt });
    }
    let bill = report.bill;
    let step = planned.id.clone();
    Ok(match report.outcome {
        AttemptOutcome::Completed(result) => complete(execution, step, attempt, result, bill),
        AttemptOutcome::Failed(failure) if !execution.is_stopping() => {
            fail(planned, attempt, failure, bill, chance, now)
        }
        AttemptOutcome::Failed(_) | AttemptOutcome::Cancelled if execution.is_stopping() => {
            Decided::event(EventKind::StepCancelled { step, attempt, bill })
        }
        AttemptOutcome::Failed(failure) => failed(step, attempt, failure.problem, bill),
        AttemptOutcome::Cancelled => {
            let message = "the plugin returned \"cancelled\" though nobody cancelled the execution";
            failed(step, attempt, Problem::new("cancelled-by-plugin", message), bill)
        }
    })
}

fn complete(execution: &Execution, step: StepId, attempt: u32, result: Value, bill: Bill) -> Decided {
    let bytes = execution.result_bytes + json::bytes(&result);
    if bytes > EXECUTION_BYTES_MAX {
        let message =
            format!("the results of this execution have {bytes} bytes, {EXECUTION_BYTES_MAX} are allowed");
        return failed(step, attempt, Problem::new("results-too-large", message), bill);
    }
    Decided::event(EventKind::StepCompleted { step, attempt, result: result.into(), bill })
}

fn failed(step: StepId, attempt: u32, error: Problem, bill: Bill) -> Decided {
    Decided::event(EventKind::StepFailed { step, attempt, error, bill, decision: None })
}

fn fail(
    planned: &PlannedStep,
    attempt: u32,
    failure: Failure,
    bill: Bill,
    chance: f64,
    now: Timestamp,
) -> Decided {
    let step = planned.id.clone();
    let Failure { kind, problem: mut error, retry_after_ms } = failure;
    error.retryable = may_retry(kind, planned) && !planned.retry.non_retryable.contains(&error.code);
    if !error.retryable || attempt >= planned.retry.max_attempts {
        return failed(step, attempt, error, bill);
    }
    let interval = match kind {
        // The host was away long enough; and nobody else is to be spared.
        FailureKind::Lost => 0,
        _ => planned.retry.interval_ms(attempt, chance).max(retry_after_ms.unwrap_or(0)).min(TIMEOUT_MS_MAX),
    };
    let due_at = now.plus_millis(interval);
    Decided::event(EventKind::StepRetrying { step, attempt, error, due_at, bill })
        .with(Effect::Wake { at: due_at })
}

/// Whether this kind of failure is followed by another attempt at all.
fn may_retry(kind: FailureKind, planned: &PlannedStep) -> bool {
    let at_most_once = planned.action.effects == Effects::AtMostOnce;
    match kind {
        FailureKind::Retryable => true,
        FailureKind::HostFault | FailureKind::Lost => !at_most_once,
        FailureKind::Trap | FailureKind::Timeout => planned.action.idempotent && !at_most_once,
        FailureKind::Permanent
        | FailureKind::CpuLimit
        | FailureKind::MemoryLimit
        | FailureKind::OutputLimit
        | FailureKind::InvalidOutput
        | FailureKind::Denied
        | FailureKind::Unavailable => false,
    }
}

fn cancel(
    execution: &Execution,
    requested_by: Requester,
    reason: Option<String>,
) -> Result<Decided, Refusal> {
    running(execution)?;
    if execution.cancel_requested {
        return Err(Refusal::AlreadyCancelling);
    }
    Ok(Decided::event(EventKind::CancelRequested { requested_by, reason }))
}

fn proceed(execution: &Execution) -> Decided {
    if execution.status != ExecutionStatus::Running {
        return Decided::default();
    }
    if execution.is_stopping() {
        return stop(execution);
    }
    if execution.steps.iter().any(|step| !step.status.is_terminal()) {
        return Decided::default();
    }
    Decided::event(finish(execution)).with(Effect::Ended)
}

/// Ends the steps that do not run, interrupts those that do, and ends the execution when none runs any more.
fn stop(execution: &Execution) -> Decided {
    let mut decided = Decided::default();
    for (at, (planned, state)) in execution.plan.document.steps.iter().zip(&execution.steps).enumerate() {
        let step = planned.id.clone();
        match state.status {
            StepStatus::Pending => {
                let cause = if execution.cancel_requested { "was cancelled" } else { "failed" };
                let reason = format!("the execution {cause} before this step could start");
                decided.events.push(EventKind::StepSkipped { step, reason });
            }
            StepStatus::Retrying => {
                let bill = Bill::default();
                decided.events.push(EventKind::StepCancelled { step, attempt: state.attempt, bill });
            }
            StepStatus::Running => decided.effects.push(Effect::Interrupt { step: at }),
            StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped | StepStatus::Cancelled => {}
        }
    }
    if !execution.has(StepStatus::Running) {
        decided.events.push(stopped(execution));
        decided.effects.push(Effect::Ended);
    }
    decided
}

fn stopped(execution: &Execution) -> EventKind {
    if execution.cancel_requested {
        return EventKind::ExecutionCancelled;
    }
    let steps = execution.plan.document.steps.iter().zip(&execution.steps);
    let failed =
        steps.filter(|(_, state)| state.status == StepStatus::Failed).min_by_key(|(_, state)| state.ended_at);
    match failed {
        Some((planned, state)) => EventKind::ExecutionFailed {
            error: state.error.clone().unwrap_or_else(|| Problem::new("host-fault", "the step failed")),
            step: Some(planned.id.clone()),
        },
        None => {
            EventKind::ExecutionFailed { error: Problem::new("host-fault", "no step failed"), step: None }
        }
    }
}

fn finish(execution: &Execution) -> EventKind {
    let Some(template) = execution.plan.output() else {
        return EventKind::ExecutionCompleted { output: Value::Null.into() };
    };
    match execution.with_scope(|scope| template.evaluate(scope)) {
        Ok(output) => EventKind::ExecutionCompleted { output: output.into() },
        Err(error) => {
            let message = format!("the output of the intent: {error}");
            EventKind::ExecutionFailed { error: Problem::new("expression-failed", message), step: None }
        }
    }
}
