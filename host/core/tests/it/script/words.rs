//! Commands from words, and events and effects into words.

use quantum_core::id::{DecisionId, ExecutionId, PrincipalId, StepId};
use quantum_core::machine::{Command, Effect, Event, EventKind, Execution, Phase, Reuse, Slot, StepState};
use quantum_core::port::{
    AttemptOutcome, AttemptReport, Bill, Decision, Failure, FailureKind, PrincipalKind, Requester,
};
use quantum_core::problem::Problem;

pub fn decision(allowed: bool) -> Decision {
    let id = DecisionId::parse("0198c0de-0000-7000-8000-00000000000d").unwrap();
    let (policy, reason) =
        if allowed { ("allow", None) } else { ("forbid", Some("a freeze is on".to_owned())) };
    Decision { id, policies: vec![policy.to_owned()], reason, policy_version: "0123456789abcdef".to_owned() }
}

/// `ok JSON`, `cancelled`, or `KIND CODE [after=MS]`; `chance=F` draws the jitter.
pub fn report(words: &str) -> (AttemptReport, f64) {
    let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
    let mut chance = 0.5;
    let outcome = match kind {
        "ok" => AttemptOutcome::Completed(serde_json::from_str(rest).unwrap()),
        "cancelled" => AttemptOutcome::Cancelled,
        kind => {
            let mut words = rest.split_whitespace().peekable();
            let code = words.next_if(|word| !word.contains('=')).unwrap_or(kind);
            let problem = Problem::new(code, "it did not work");
            let mut failure = Failure { kind: failure_kind(kind), problem, retry_after_ms: None };
            for word in words {
                match word.split_once('=').unwrap() {
                    ("after", millis) => failure.retry_after_ms = Some(millis.parse().unwrap()),
                    ("chance", drawn) => chance = drawn.parse().unwrap(),
                    other => panic!("a failure has no {other:?}"),
                }
            }
            AttemptOutcome::Failed(failure)
        }
    };
    (AttemptReport { outcome, bill: Bill { cpu_us: 100, memory_bytes_peak: 10, ..Bill::default() } }, chance)
}

fn failure_kind(word: &str) -> FailureKind {
    match word {
        "permanent" => FailureKind::Permanent,
        "retryable" => FailureKind::Retryable,
        "trap" => FailureKind::Trap,
        "timeout" => FailureKind::Timeout,
        "cpu-limit" => FailureKind::CpuLimit,
        "memory-limit" => FailureKind::MemoryLimit,
        "output-limit" => FailureKind::OutputLimit,
        "invalid-output" => FailureKind::InvalidOutput,
        "denied" => FailureKind::Denied,
        "unavailable" => FailureKind::Unavailable,
        "host-fault" => FailureKind::HostFault,
        "lost" => FailureKind::Lost,
        other => panic!("there is no failure {other:?}"),
    }
}

/// Times are milliseconds after the start.
pub fn event(event: &Event) -> String {
    format!("{} {} {}", event.seq, event.kind.name(), said(&event.kind)).trim_end().to_owned()
}

fn said(kind: &EventKind) -> String {
    let place = |step: &StepId, element: &Option<u32>| match element {
        Some(element) => format!("{step}.{element}"),
        None => step.to_string(),
    };
    match kind {
        EventKind::ExecutionQueued { intent, reason, .. } => format!("{intent}: {reason}"),
        EventKind::ExecutionStarted { intent, requested_by } => format!("{intent} for {}", requested_by.id),
        EventKind::StepReused { step, result, .. } => format!("{step}: {result}"),
        EventKind::StepExpanded { step, items } => format!("{step} over {items}"),
        EventKind::StepStarted { step, element, phase, attempt, deadline, .. } => {
            let undo = if *phase == Phase::Compensate { "undo:" } else { "" };
            format!("{undo}{} attempt {attempt}, until @{}", place(step, element), deadline.as_millis())
        }
        EventKind::StepRetrying { step, element, phase, attempt, error, due_at, .. } => {
            let undo = if *phase == Phase::Compensate { "undo:" } else { "" };
            let (step, due) = (place(step, element), due_at.as_millis());
            format!("{undo}{step} attempt {attempt}: {}, again @{due}", problem(error))
        }
        EventKind::StepWaiting { step, element, wait, due_at } => {
            let until = due_at.map(|at| format!(", until @{}", at.as_millis())).unwrap_or_default();
            format!("{} for {}{until}", place(step, element), serde_json::to_string(wait).unwrap())
        }
        EventKind::StepCompleted { step, element, attempt, result, .. }
        | EventKind::StepCompensated { step, element, attempt, result, .. } => {
            format!("{} attempt {attempt}: {result}", place(step, element))
        }
        EventKind::StepFailed { step, element, attempt, error, decision, result, .. } => {
            let denied = decision.as_ref().and_then(|d| d.reason.as_deref()).map(|r| format!(" because {r}"));
            let result = result.as_ref().map(|result| format!(", with {result}")).unwrap_or_default();
            let step = place(step, element);
            format!("{step} attempt {attempt}: {}{}{result}", problem(error), denied.unwrap_or_default())
        }
        EventKind::StepCompensationFailed { step, element, attempt, error, .. }
        | EventKind::StepParked { step, element, attempt, error, .. } => {
            format!("{} attempt {attempt}: {}", place(step, element), problem(error))
        }
        EventKind::StepSkipped { step, reason, .. } => format!("{step}: {reason}"),
        EventKind::StepCancelled { step, element, attempt, .. } => {
            format!("{} attempt {attempt}", place(step, element))
        }
        EventKind::SignalReceived { step, element, name, payload, sent_by } => {
            format!("{} {name} {payload} from {}", place(step, element), sent_by.id)
        }
        EventKind::ApprovalRecorded { step, element, approved, approved_by, .. } => {
            format!("{} {approved} by {}", place(step, element), approved_by.id)
        }
        EventKind::CancelRequested { requested_by, reason }
        | EventKind::ExecutionPaused { requested_by, reason } => {
            format!("by {}, {}", requested_by.id, reason.as_deref().unwrap_or("no reason"))
        }
        EventKind::ExecutionResumed { requested_by } | EventKind::ExecutionRestarted { requested_by } => {
            format!("by {}", requested_by.id)
        }
        EventKind::ExecutionCompleted { output } => output.to_string(),
        EventKind::ExecutionFailed { error, step } => match step {
            Some(step) => format!("{step}: {}", problem(error)),
            None => problem(error),
        },
        EventKind::ExecutionTimedOut
        | EventKind::ExecutionParked
        | EventKind::CompensationStarted
        | EventKind::ExecutionCancelled => String::new(),
    }
}

fn problem(error: &Problem) -> String {
    let retryable = if error.retryable { " (retryable)" } else { "" };
    format!("{error}{retryable}")
}

pub fn effect(effect: &Effect, step_name: impl Fn(usize) -> String) -> String {
    let name = |slot: &Slot| {
        let undo = if slot.phase == Phase::Compensate { "undo:" } else { "" };
        let element = slot.element.map(|element| format!(".{element}")).unwrap_or_default();
        format!("{undo}{}{element}", step_name(slot.step))
    };
    match effect {
        Effect::Run { slot, attempt, parameters, deadline } => {
            let name = name(slot);
            format!("-> run {name} attempt {attempt} until @{} with {parameters}", deadline.as_millis())
        }
        Effect::Interrupt { slot } => format!("-> interrupt {}", name(slot)),
        Effect::Wake { at } => format!("-> wake @{}", at.as_millis()),
        Effect::StartChild { slot, .. } => format!("-> start the child of {}", name(slot)),
        Effect::CancelChild { .. } => "-> cancel the child".to_owned(),
        Effect::Ended => "-> ended".to_owned(),
    }
}

/// With its elements, when it has any.
pub fn status(state: &StepState) -> String {
    let Some(fan_out) = &state.fan_out else { return state.shown_status().to_string() };
    let elements: Vec<&str> = fan_out.elements.iter().map(|e| e.shown_status().as_str()).collect();
    format!("{} [{}]", state.shown_status(), elements.join(" "))
}

/// `a`, `a.3`, `undo:a`, `undo:a.3`; `#9` is the step at that position, also when there is none.
pub fn slot(execution: &Execution, text: &str) -> Slot {
    let (phase, text) = match text.strip_prefix("undo:") {
        Some(rest) => (Phase::Compensate, rest),
        None => (Phase::Run, text),
    };
    let (name, element) = match text.split_once('.') {
        Some((name, element)) => (name, Some(element.parse().unwrap())),
        None => (text, None),
    };
    let step = match name.strip_prefix('#') {
        Some(digits) => digits.parse().unwrap(),
        None => execution.plan.position(name).unwrap(),
    };
    Slot { step, element, phase }
}

pub fn person(name: &str) -> Requester {
    Requester { id: PrincipalId::new(name).unwrap(), kind: PrincipalKind::User }
}

/// The id that every child of a script has.
pub fn child() -> ExecutionId {
    ExecutionId::parse("0198c0de-0000-7000-8000-00000000000c").unwrap()
}

/// `a=JSON b=JSON`: results of a replayed execution.
pub fn reuse(text: &str, execution: &Execution) -> Vec<Reuse> {
    let words = text.split_whitespace().filter_map(|word| word.split_once('='));
    words
        .map(|(name, json)| Reuse {
            step: execution.plan.position(name).unwrap(),
            from: child(),
            result: serde_json::from_str(json).unwrap(),
        })
        .collect()
}

/// `bob [STEP[.ELEMENT]]`
pub fn approval(approved: bool, text: &str) -> Command {
    let (name, step) = first(text);
    let (step, element) = step.split_once('.').unwrap_or((step, ""));
    Command::Approve {
        step: StepId::new(step).ok(),
        element: element.parse().ok(),
        approved,
        approved_by: person(name),
        comment: None,
    }
}

/// Splits off the first word.
pub fn first(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// A reason after the command, if there is one.
pub fn rest(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
