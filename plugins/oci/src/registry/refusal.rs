//! What a registry's answer means when it is not the one that was wanted: which failure, and whether to try again.

use std::time::Duration;

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;
use serde_json::{Value, json};

use super::client::Client;

/// Characters of a registry's own words that go into the message.
const REASON_CHARS_MAX: usize = 300;

pub const UNAUTHORIZED: &str = "registry-unauthorized";
pub const REDIRECT: &str = "registry-redirect";
pub const MISMATCH: &str = "registry-digest-mismatch";

impl Client<'_> {
    /// The failure that an answer is. `doing` says what was asked: "upload sha256:…".
    pub fn refused(&self, answer: &Response, doing: &str) -> Failure {
        let (name, status, told) = (self.name(), answer.status(), told(answer));
        let said = |what: &str| {
            let reason = if told.reason.is_empty() { String::new() } else { format!(" ({})", told.reason) };
            format!("failed to {doing}: {name} answered {status}{reason}: {what}")
        };
        let failure = match status {
            401 => Failure::permanent(UNAUTHORIZED, said(&self.who_could())),
            403 => Failure::permanent("registry-forbidden", said("the user may not do this there")),
            404 => {
                Failure::permanent("registry-name-unknown", said("it does not have it, or does not show it"))
            }
            300..=399 => Failure::permanent(
                REDIRECT,
                said("what is sent goes to the registry itself and nowhere else"),
            ),
            429 => again(answer, "registry-rate-limited", said("it asks for patience")),
            408 | 425 | 500..=599 => again(answer, "registry-unavailable", said("it may be able to later")),
            _ if told.codes.iter().any(|code| code == "DIGEST_INVALID") => {
                Failure::retryable(MISMATCH, said("what arrived is not what was sent"))
            }
            _ => Failure::permanent("registry-refused", said("it does not take the request")),
        };
        failure.details(&json!({ "registry": name, "status": status, "errors": told.codes }))
    }

    /// The failure of an answer that does not say what it must.
    pub fn misunderstood(&self, doing: &str, what: &str) -> Failure {
        let name = self.name();
        let message = format!(
            "failed to {doing}: {name} answered {what}; is it a registry of the OCI distribution API?"
        );
        Failure::permanent("registry-invalid-answer", message)
    }
}

/// Retryable, after the wait that the registry asks for.
fn again(answer: &Response, code: &str, message: String) -> Failure {
    let failure = Failure::retryable(code, message);
    match Failure::from(answer.status_error()).after_ms() {
        Some(wait_ms) => failure.after(Duration::from_millis(wait_ms)),
        None => failure,
    }
}

/// What the registry says of its reasons.
struct Told {
    codes: Vec<String>,
    reason: String,
}

/// From `{"errors": [{"code": "…", "message": "…"}]}`; else the text.
fn told(answer: &Response) -> Told {
    let body: Value = serde_json::from_slice(answer.bytes()).unwrap_or_default();
    let errors = body.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text =
        |error: &Value, key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reason = |error: &Value| format!("{}: {}", text(error, "code"), text(error, "message"));
    let reasons: Vec<String> = errors.iter().map(reason).collect();
    let reason = match reasons.as_slice() {
        [] => answer.text().unwrap_or_default().trim().to_owned(),
        _ => reasons.join("; "),
    };
    let codes = errors.iter().map(|error| text(error, "code")).collect();
    Told { codes, reason: reason.chars().take(REASON_CHARS_MAX).collect() }
}
