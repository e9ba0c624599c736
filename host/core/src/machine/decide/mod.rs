//! `decide`: what a command makes happen to an execution. Pure; time and chance are arguments.

mod operate;
mod proceed;
mod settle;
mod tell;
mod undo;

use super::admission::Admission;
use super::command::{Command, Effect, Refusal, Reuse};
use super::event::EventKind;
use super::execution::Execution;
use super::slot::{Phase, Slot};
use super::step_state::StepState;
use crate::builtin::Wait;
use crate::plan::PlannedStep;
use crate::port::Bill;
use crate::time::Timestamp;
use crate::vocabulary::ExecutionStatus;

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
        Command::Queue { reason } => queue(execution, reason),
        Command::Start { reuse } => start(execution, reuse),
        Command::Admit { slot, admission } => admit(execution, slot, admission, now),
        Command::Settle { slot, attempt, report, chance } => {
            settle::settle(execution, settle::Ended { slot, attempt, report, chance }, now)
        }
        Command::Signal { name, payload, sent_by } => tell::signal(execution, name, payload, sent_by),
        Command::Approve { step, element, approved, approved_by, comment } => {
            tell::approve(execution, tell::Approval { step, element, approved, approved_by, comment })
        }
        Command::ChildEnded { slot, child, outcome } => tell::child_ended(execution, slot, child, outcome),
        Command::Cancel { requested_by, reason } => operate::cancel(execution, requested_by, reason),
        Command::Pause { requested_by, reason } => operate::pause(execution, requested_by, reason),
        Command::Resume { requested_by } => operate::resume(execution, requested_by),
        Command::Restart { requested_by } => operate::restart(execution, requested_by),
        Command::Wake => open(execution).map(|()| Decided::default()),
        Command::Proceed => Ok(proceed::proceed(execution, now)),
    }
}

fn open(execution: &Execution) -> Result<(), Refusal> {
    if execution.status.is_terminal() { Err(Refusal::AlreadyEnded) } else { Ok(()) }
}

/// Why nothing new may happen to it: it ends, by somebody's wish or by itself.
fn stopping(execution: &Execution) -> Result<(), Refusal> {
    match (execution.cancel_requested, execution.is_stopping()) {
        (true, _) => Err(Refusal::AlreadyCancelling),
        (false, true) => Err(Refusal::Failing),
        (false, false) => Ok(()),
    }
}

/// It has started and not ended.
fn moving(execution: &Execution) -> Result<(), Refusal> {
    match execution.status {
        ExecutionStatus::Queued => Err(Refusal::NotStarted),
        _ => open(execution),
    }
}

fn intent_of(execution: &Execution) -> String {
    let intent = &execution.plan.document.intent;
    format!("{}-v{}", intent.name, intent.version)
}

fn queue(execution: &Execution, reason: String) -> Result<Decided, Refusal> {
    if execution.status != ExecutionStatus::Queued || execution.last_seq > 0 {
        return Err(Refusal::AlreadyStarted);
    }
    let requested_by = execution.requested_by.clone();
    Ok(Decided::event(EventKind::ExecutionQueued { intent: intent_of(execution), requested_by, reason }))
}

fn start(execution: &Execution, reuse: Vec<Reuse>) -> Result<Decided, Refusal> {
    if execution.status != ExecutionStatus::Queued {
        return Err(Refusal::AlreadyStarted);
    }
    let requested_by = execution.requested_by.clone();
    let started = EventKind::ExecutionStarted { intent: intent_of(execution), requested_by };
    let mut decided = Decided::event(started);
    for Reuse { step, from, result } in reuse {
        let (planned, _) = find(execution, step)?;
        decided.events.push(EventKind::StepReused { step: planned.id.clone(), from, result });
    }
    Ok(decided)
}

fn find(execution: &Execution, step: usize) -> Result<(&PlannedStep, &StepState), Refusal> {
    execution.plan.step(step).zip(execution.step(step)).ok_or(Refusal::UnknownStep(step))
}

fn admit(
    execution: &Execution,
    slot: Slot,
    admission: Admission,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    moving(execution)?;
    let (planned, _) = find(execution, slot.step)?;
    let runs = planned.action.component().is_some() || slot.phase == Phase::Compensate;
    let fits = runs || !matches!(admission, Admission::Start { .. });
    if execution.next_ready(now) != Some(slot) || !fits {
        return Err(Refusal::NotReady(planned.id.clone()));
    }
    let made = execution.slot(slot).map_or(0, |state| state.attempt);
    let (step, element, phase) = (planned.id.clone(), slot.element, slot.phase);
    Ok(match admission {
        Admission::Start { parameters, decision } => {
            let attempt = made + 1;
            let deadline = now.plus_millis(timeout_ms(planned, slot.phase));
            Decided::event(EventKind::StepStarted { step, element, phase, attempt, deadline, decision })
                .with(Effect::Run { slot, attempt, parameters, deadline })
        }
        Admission::Refuse { error, decision } if phase == Phase::Compensate => {
            let bill = Bill::default();
            let failed =
                EventKind::StepCompensationFailed { step, element, attempt: made, error, bill, decision };
            Decided::event(failed)
        }
        Admission::Refuse { error, decision } => {
            let bill = Bill::default();
            let attempt = made;
            Decided::event(EventKind::StepFailed {
                step,
                element,
                attempt,
                error,
                bill,
                decision,
                result: None,
            })
        }
        Admission::Skip { reason, cause } => Decided::event(EventKind::StepSkipped { step, reason, cause }),
        Admission::Expand { items } => Decided::event(EventKind::StepExpanded { step, items }),
        Admission::Wait { wait, until } => {
            let child = match &wait {
                Wait::Child { execution_id, .. } => Some(Effect::StartChild { slot, child: *execution_id }),
                _ => None,
            };
            let mut decided = Decided::event(EventKind::StepWaiting { step, element, wait, due_at: until });
            decided.effects.extend(child);
            decided
        }
    })
}

fn timeout_ms(planned: &PlannedStep, phase: Phase) -> u64 {
    match (&planned.compensate, phase) {
        (Some(undo), Phase::Compensate) => undo.timeout_ms,
        _ => planned.timeout_ms,
    }
}
