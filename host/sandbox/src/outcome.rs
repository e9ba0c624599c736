//! How an attempt ended: the one place where failures are told apart. Texts are for people, and the same each time.

use std::fmt;
use std::time::Duration;

use quantum_core::limits::RESULT_BYTES_MAX;
use quantum_core::port::{AttemptOutcome, Failure, FailureKind};
use quantum_core::problem::Problem;
use quantum_core::vocabulary::Capability;
use serde_json::{Value, json};
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::attempt::{CapabilityMissing, CpuExceeded, Panic};
use crate::backtrace;
use crate::egress::Denied;
use crate::host::PluginFailure;
use crate::limits::{CODE_BYTES_MAX, CORE_INSTANCES_PER_COMPONENT_MAX, DETAILS_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::secret::Redactions;

/// What came of the call.
pub(crate) enum Ending {
    Returned(Result<String, PluginFailure>),
    Trapped(wasmtime::Error),
    TimedOut,
    Unavailable(String),
    HostFault(String),
}

/// Stands around an error of the call itself: the component was instantiated, and what failed from there on is the
/// guest's doing.
#[derive(Debug)]
pub(crate) struct InCall;

impl fmt::Display for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("call the plugin")
    }
}

/// What else is known when an attempt ended.
pub(crate) struct Evidence {
    pub memory_refused: bool,
    pub memory_bytes_max: u64,
    pub cpu_ms_max: u64,
    pub timeout_ms: u64,
    pub host_call_bytes_max: usize,
    pub panic: Option<Panic>,
    /// The last request of the attempt was denied.
    pub denial: Option<Denied>,
    /// What a person can do about the last request, when it failed.
    pub hint: Option<String>,
    pub cancel_raised: bool,
}

/// Tells it, without the values of secrets.
pub(crate) fn judge(ending: Ending, evidence: &Evidence, redactions: &Redactions) -> AttemptOutcome {
    match tell(ending, evidence) {
        AttemptOutcome::Completed(value) if redactions.is_empty() => AttemptOutcome::Completed(value),
        AttemptOutcome::Completed(value) => without_secrets(value, redactions),
        AttemptOutcome::Failed(failure) => AttemptOutcome::Failed(bounded(failure, redactions)),
        AttemptOutcome::Cancelled => AttemptOutcome::Cancelled,
    }
}

fn tell(ending: Ending, evidence: &Evidence) -> AttemptOutcome {
    match ending {
        Ending::Returned(Ok(text)) => completed(&text),
        Ending::Returned(Err(PluginFailure::Cancelled)) if evidence.cancel_raised => {
            AttemptOutcome::Cancelled
        }
        Ending::Returned(Err(failure)) => {
            AttemptOutcome::Failed(denied_or(evidence, || plugin_failure(failure)))
        }
        Ending::Trapped(error) => AttemptOutcome::Failed(trapped(&error, evidence)),
        Ending::TimedOut => fail(FailureKind::Timeout, "timeout", timeout_text(evidence.timeout_ms)),
        Ending::Unavailable(reason) => fail(FailureKind::Unavailable, "plugin-unavailable", reason),
        Ending::HostFault(reason) => fail(FailureKind::HostFault, "host-fault", reason),
    }
}

/// The attempt is not made: its component broke too often in this tenant.
pub(crate) fn suspended(left: Duration) -> AttemptOutcome {
    let message = "the plugin's attempts in this tenant ended by a trap or over a limit, one after another: it is \
                   suspended, and from time to time one attempt is made to see whether it is well again";
    let mut failure = failure_of(FailureKind::Retryable, "plugin-suspended", message);
    failure.problem.retryable = true;
    failure.retry_after_ms = Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1));
    AttemptOutcome::Failed(failure)
}

fn without_secrets(value: Value, redactions: &Redactions) -> AttemptOutcome {
    // More than a result may have: what does not fit is seen below, instead of being cut.
    let mut left = 2 * RESULT_BYTES_MAX;
    let value = redactions.value(value, &mut left);
    let bytes = value.to_string().len();
    if left == 0 || bytes > RESULT_BYTES_MAX {
        return AttemptOutcome::Failed(too_large(&format!("{bytes} bytes without its secrets")));
    }
    AttemptOutcome::Completed(value)
}

/// A failure in the guest's words, cut to what is kept and without secrets. The host's own words hold none.
fn bounded(failure: Failure, redactions: &Redactions) -> Failure {
    if matches!(failure.kind, FailureKind::Unavailable | FailureKind::HostFault) {
        return failure;
    }
    let Problem { code, message, retryable, details } = failure.problem;
    let mut left = DETAILS_BYTES_MAX;
    let problem = Problem {
        code: redactions.text(&code, CODE_BYTES_MAX),
        message: redactions.text(&message, MESSAGE_BYTES_MAX),
        retryable,
        details: details.map(|details| redactions.value(details, &mut left)),
    };
    Failure { problem, ..failure }
}

fn completed(text: &str) -> AttemptOutcome {
    if text.len() > RESULT_BYTES_MAX {
        return AttemptOutcome::Failed(too_large(&format!("{} bytes", text.len())));
    }
    match serde_json::from_str(text) {
        Ok(value) => AttemptOutcome::Completed(value),
        Err(error) => {
            fail(FailureKind::InvalidOutput, "invalid-output", format!("the result is not JSON: {error}"))
        }
    }
}

fn plugin_failure(failure: PluginFailure) -> Failure {
    let (kind, problem, retry_after_ms) = match failure {
        PluginFailure::Permanent(problem) => (FailureKind::Permanent, problem, None),
        PluginFailure::Retryable((problem, after)) => (FailureKind::Retryable, problem, after),
        PluginFailure::Cancelled => {
            let message = "the plugin stopped as cancelled, but nobody cancelled the execution";
            return failure_of(FailureKind::Permanent, "cancelled", message);
        }
    };
    let details = problem.details.filter(|text| text.len() <= DETAILS_BYTES_MAX);
    let details = details.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
    let problem = Problem {
        code: problem.code,
        message: problem.message,
        retryable: kind == FailureKind::Retryable,
        details,
    };
    Failure { kind, problem, retry_after_ms }
}

fn trapped(error: &wasmtime::Error, evidence: &Evidence) -> Failure {
    if error.is::<CpuExceeded>() {
        let text = format!("the plugin used more than its {} ms of processor time", evidence.cpu_ms_max);
        return failure_of(FailureKind::CpuLimit, "cpu-limit", text);
    }
    if let Some(CapabilityMissing(capability)) = error.downcast_ref() {
        return capability_missing(*capability);
    }
    if evidence.memory_refused {
        return failure_of(FailureKind::MemoryLimit, "memory-limit", memory_text(evidence.memory_bytes_max));
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return denied_or(evidence, || {
            let how = if *status == 0 { "success" } else { "an error" };
            let text = format!("the plugin called exit, with {how}, instead of returning a result");
            failure_of(FailureKind::Permanent, "exit", text)
        });
    }
    // Only where there is no pool, which refuses such a component when it is installed.
    if error.root_cause().to_string().contains("resource limit exceeded") {
        let text = format!(
            "the plugin has more core modules than the {CORE_INSTANCES_PER_COMPONENT_MAX} of one component"
        );
        return failure_of(FailureKind::Unavailable, "plugin-unavailable", text);
    }
    let in_guest = error.is::<WasmBacktrace>();
    let copied_too_much = error.root_cause().to_string().contains("fuel allocated for hostcalls");
    match (copied_too_much, in_guest || error.is::<Trap>()) {
        // The result is copied after the guest has left its code, the arguments of calls while it is in it.
        (true, false) => too_large(&format!("more than {} bytes", evidence.host_call_bytes_max)),
        (true, true) => {
            let text =
                format!("the plugin passed more than {} bytes in one call", evidence.host_call_bytes_max);
            trap(&text, error)
        }
        (false, true) => denied_or(evidence, || trap(&trap_text(error, evidence.panic.as_ref()), error)),
        // Pointers into nowhere, no UTF-8, a case that does not exist: found while the answer is read.
        (false, false) if error.is::<InCall>() => {
            let text = format!("the result cannot be read: {}", error.root_cause());
            failure_of(FailureKind::InvalidOutput, "invalid-output", text)
        }
        (false, false) => failure_of(FailureKind::HostFault, "host-fault", format!("{error:#}")),
    }
}

/// A guest that goes on after a denial and fails then, failed because of it; a denial is permanent.
fn denied_or(evidence: &Evidence, otherwise: impl FnOnce() -> Failure) -> Failure {
    let Some(denial) = &evidence.denial else { return hinted(evidence, otherwise()) };
    let mut problem = Problem::new("effect-denied", denial.message.clone());
    problem.details = Some(denial.details.clone());
    Failure { kind: FailureKind::Denied, problem, retry_after_ms: None }
}

fn hinted(evidence: &Evidence, mut failure: Failure) -> Failure {
    if let Some(hint) = &evidence.hint {
        failure.problem.message = format!("{}; {hint}", failure.problem.message);
    }
    failure
}

fn capability_missing(capability: Capability) -> Failure {
    let (rule, allow_with) = (format!("capability:{capability}"), manifest_line(capability));
    let message = format!(
        "the plugin used the capability \"{capability}\" without a grant; allow it with: {allow_with}; then install the \
         plugin again"
    );
    let mut failure = failure_of(FailureKind::Denied, "effect-denied", message);
    failure.problem.details =
        Some(json!({ "rule": rule, "capability": capability, "allow_with": allow_with }));
    failure
}

/// What the author writes to ask for it.
fn manifest_line(capability: Capability) -> String {
    let asked = match capability {
        Capability::Http => r#""http": { "hosts": ["https://HOST"] }"#,
        Capability::Kv => r#""kv": true"#,
        Capability::Artifacts => r#""artifacts": true"#,
        Capability::SecretsUse => r#""secrets": [{ "name": "NAME" }]"#,
        Capability::SecretsReveal => r#""reveal": ["NAME"]"#,
        Capability::Clock => r#""clock": true"#,
        Capability::Random => r#""random": true"#,
    };
    format!("{asked} under \"capabilities\" of the plugin's manifest")
}

fn trap(text: &str, error: &wasmtime::Error) -> Failure {
    let mut failure = failure_of(FailureKind::Trap, "trap", text);
    let frames = backtrace::lines(error);
    if !frames.is_empty() {
        failure.problem.details = Some(json!({ "backtrace": frames }));
    }
    failure
}

fn trap_text(error: &wasmtime::Error, panic: Option<&Panic>) -> String {
    if let Some(Panic { message, place }) = panic {
        return format!("the plugin panicked at {place}: {message}");
    }
    let reason = error.root_cause().to_string();
    let reason = reason.strip_prefix("wasm trap: ").unwrap_or(&reason);
    format!("the plugin trapped: {reason}")
}

fn too_large(size: &str) -> Failure {
    let text =
        format!("the result has {size}, at most {RESULT_BYTES_MAX} are kept; pass large data as artifacts");
    failure_of(FailureKind::OutputLimit, "output-too-large", text)
}

fn timeout_text(timeout_ms: u64) -> String {
    format!(
        "the attempt did not end within {timeout_ms} ms; give the step a longer `timeout` if it needs one"
    )
}

fn memory_text(bytes_max: u64) -> String {
    let mib = bytes_max / (1024 * 1024);
    format!(
        "the plugin asked for more than its {mib} MiB of memory; a plugin that needs more says so by \
         `memory_bytes_max` in its manifest"
    )
}

fn fail(kind: FailureKind, code: &str, message: String) -> AttemptOutcome {
    AttemptOutcome::Failed(failure_of(kind, code, message))
}

fn failure_of(kind: FailureKind, code: &str, message: impl Into<String>) -> Failure {
    Failure { kind, problem: Problem::new(code, message), retry_after_ms: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Denial;
    use crate::host::PluginProblem;

    fn evidence(denial: Option<&Denial>) -> Evidence {
        Evidence {
            memory_refused: false,
            memory_bytes_max: 0,
            cpu_ms_max: 0,
            timeout_ms: 0,
            host_call_bytes_max: 0,
            panic: None,
            denial: denial.map(Denied::from),
            hint: None,
            cancel_raised: false,
        }
    }

    fn kind(ending: Ending, evidence: &Evidence) -> FailureKind {
        match judge(ending, evidence, &Redactions::default()) {
            AttemptOutcome::Failed(failure) => failure.kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_denial_is_permanent_even_when_the_plugin_would_try_again() {
        let retryable = || {
            let problem = PluginProblem { code: "c".to_owned(), message: String::new(), details: None };
            Ending::Returned(Err(PluginFailure::Retryable((problem, None))))
        };
        assert_eq!(kind(retryable(), &evidence(None)), FailureKind::Retryable);
        assert_eq!(kind(retryable(), &evidence(Some(&Denial::example()))), FailureKind::Denied);
        assert_eq!(kind(Ending::TimedOut, &evidence(Some(&Denial::example()))), FailureKind::Timeout);
    }

    #[test]
    fn what_helps_stands_behind_the_plugins_own_words() {
        let problem = PluginProblem { code: "tls".to_owned(), message: "no".to_owned(), details: None };
        let ending = Ending::Returned(Err(PluginFailure::Permanent(problem)));
        let evidence = Evidence { hint: Some("do this".to_owned()), ..evidence(None) };
        let AttemptOutcome::Failed(failure) = judge(ending, &evidence, &Redactions::default()) else {
            panic!("it failed")
        };
        assert_eq!(failure.problem.to_string(), "tls: no; do this");
    }

    #[test]
    fn a_result_that_grows_over_its_limit_without_its_secrets_is_too_large() {
        let redactions = Redactions::default();
        redactions.add("A_LONG_NAME", "abcd");
        let grows = |times: usize| {
            let result = format!("\"{}\"", "abcd".repeat(times));
            judge(Ending::Returned(Ok(result)), &evidence(None), &redactions)
        };
        assert_eq!(grows(2), AttemptOutcome::Completed("[secret A_LONG_NAME]".repeat(2).into()));
        for times in [RESULT_BYTES_MAX / 16, RESULT_BYTES_MAX / 4 - 1] {
            let AttemptOutcome::Failed(failure) = grows(times) else { panic!("it has no failure") };
            assert_eq!(failure.kind, FailureKind::OutputLimit);
        }
    }

    #[test]
    fn an_error_of_the_host_is_not_blamed_on_the_plugin() {
        let error = wasmtime::Error::msg("no place in the pool");
        assert_eq!(kind(Ending::Trapped(error), &evidence(None)), FailureKind::HostFault);
        let error = wasmtime::Error::msg("pointer out of bounds of memory").context(InCall);
        assert_eq!(kind(Ending::Trapped(error), &evidence(None)), FailureKind::InvalidOutput);
        // The words of the engine for a component that is too large for it.
        let error = wasmtime::Error::msg("resource limit exceeded: instance count too high at 257");
        assert_eq!(kind(Ending::Trapped(error), &evidence(None)), FailureKind::Unavailable);
    }
}
