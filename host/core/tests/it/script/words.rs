//! Commands from words, and events and effects into words.

use quantum_core::id::DecisionId;
use quantum_core::machine::{Effect, Event, EventKind};
use quantum_core::port::{AttemptOutcome, AttemptReport, Bill, Decision, Failure, FailureKind};
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
    let text = match &event.kind {
        EventKind::ExecutionStarted { intent, requested_by } => format!("{intent} for {}", requested_by.id),
        EventKind::StepStarted { step, attempt, deadline, .. } => {
            format!("{step} attempt {attempt}, until @{}", deadline.as_millis())
        }
        EventKind::StepRetrying { step, attempt, error, due_at, .. } => {
            format!("{step} attempt {attempt}: {}, again @{}", problem(error), due_at.as_millis())
        }
        EventKind::StepCompleted { step, attempt, result, .. } => {
            format!("{step} attempt {attempt}: {result}")
        }
        EventKind::StepFailed { step, attempt, error, decision, .. } => {
            let denied = decision.as_ref().and_then(|d| d.reason.as_deref()).map(|r| format!(" because {r}"));
            format!("{step} attempt {attempt}: {}{}", problem(error), denied.unwrap_or_default())
        }
        EventKind::StepSkipped { step, reason } => format!("{step}: {reason}"),
        EventKind::StepCancelled { step, attempt, .. } => format!("{step} attempt {attempt}"),
        EventKind::CancelRequested { requested_by, reason } => {
            format!("by {}, {}", requested_by.id, reason.as_deref().unwrap_or("no reason"))
        }
        EventKind::ExecutionCompleted { output } => output.to_string(),
        EventKind::ExecutionFailed { error, step } => match step {
            Some(step) => format!("{step}: {}", problem(error)),
            None => problem(error),
        },
        EventKind::ExecutionCancelled => String::new(),
    };
    format!("{} {} {text}", event.seq, event.kind.name()).trim_end().to_owned()
}

fn problem(error: &Problem) -> String {
    let retryable = if error.retryable { " (retryable)" } else { "" };
    format!("{error}{retryable}")
}

pub fn effect(effect: &Effect, step_name: impl Fn(usize) -> String) -> String {
    match effect {
        Effect::Run { step, attempt, parameters, deadline } => {
            let name = step_name(*step);
            format!("-> run {name} attempt {attempt} until @{} with {parameters}", deadline.as_millis())
        }
        Effect::Interrupt { step } => format!("-> interrupt {}", step_name(*step)),
        Effect::Wake { at } => format!("-> wake @{}", at.as_millis()),
        Effect::Ended => "-> ended".to_owned(),
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
