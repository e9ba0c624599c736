//! What the cluster says when it refuses: its `Status` object, as a typed failure.

use std::time::Duration;

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;
use serde_json::{Value, json};

/// Somebody else changed the object in between: read it again, and try again.
pub const CONFLICT: &str = "cluster-conflict";

/// `kind: Status` of `meta/v1`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    kind: String,
    name: String,
    causes: Vec<Cause>,
    retry_after_seconds: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

/// The failure that an answer with an error status is.
pub fn failure(response: &Response) -> Failure {
    let http = response.status();
    let status = serde_json::from_slice::<Value>(response.bytes()).ok();
    let status = status.and_then(|object| Status::deserialize(&object).ok()).filter(|s| s.kind == "Status");
    let after = Failure::from(response.status_error()).after_ms().map(Duration::from_millis);
    let Some(status) = status else { return without_status(response, after) };
    let asked = status.details.retry_after_seconds;
    let after = after.or_else(|| (asked > 0).then(|| Duration::from_secs(asked)));
    let failure = match http {
        409 if status.owners().next().is_some() => return status.field_conflict(),
        409 => Failure::retryable(CONFLICT, status.text()),
        429 => wait(Failure::retryable("cluster-busy", status.text()), after),
        408 | 410 | 500 | 502..=504 => wait(Failure::retryable("cluster-unavailable", status.text()), after),
        401 => Failure::permanent("cluster-unauthorized", status.unauthorized()),
        403 => Failure::permanent("cluster-forbidden", status.text()),
        404 => Failure::permanent(status.missing(), status.text()),
        400 | 422 => Failure::permanent("cluster-invalid", status.invalid()),
        _ => Failure::permanent("cluster-refused", status.text()),
    };
    failure.details(&status.for_programs(http))
}

/// For an answer that no API server gives.
pub fn not_kubernetes(what: &str) -> Failure {
    let message = format!(
        "{what}: this is not the API of Kubernetes; look at `server` in the installation's configuration"
    );
    Failure::permanent("cluster-answer", message)
}

/// What stands in front of an API server answers without a `Status`.
fn without_status(response: &Response, after: Option<Duration>) -> Failure {
    let error = response.status_error();
    match response.status() {
        401 => Failure::permanent("cluster-unauthorized", format!("{error}: {UNAUTHORIZED}")),
        403 => Failure::permanent("cluster-forbidden", error.to_string()),
        429 => wait(Failure::retryable("cluster-busy", error.to_string()), after),
        408 | 500..=599 => wait(Failure::retryable("cluster-unavailable", error.to_string()), after),
        _ => not_kubernetes(&error.to_string()),
    }
}

const UNAUTHORIZED: &str =
    "the cluster does not know who asks; is the secret KUBERNETES_TOKEN a valid token of a service account?";

fn wait(failure: Failure, after: Option<Duration>) -> Failure {
    match after {
        Some(after) => failure.after(after),
        None => failure,
    }
}

impl Status {
    fn text(&self) -> String {
        if self.message.is_empty() { self.reason.clone() } else { self.message.clone() }
    }

    fn unauthorized(&self) -> String {
        format!("{}: {UNAUTHORIZED}", self.text())
    }

    /// The code for something that is not there.
    fn missing(&self) -> &'static str {
        match self.details.kind.as_str() {
            "namespaces" => "namespace-not-found",
            "deployments" => "deployment-not-found",
            _ => "cluster-refused",
        }
    }

    fn invalid(&self) -> String {
        let selector = self.details.causes.iter().any(|cause| cause.field == "spec.selector");
        if !selector {
            return self.text();
        }
        format!(
            "{}; the Deployment was made with another selector, which cannot change: set selector_label in the \
             installation's configuration to the label that it has, or delete the Deployment once",
            self.text()
        )
    }

    /// Manager and field of each conflict of a server-side apply.
    fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        let causes = self.details.causes.iter().filter(|cause| cause.reason == "FieldManagerConflict");
        causes.map(|cause| {
            // conflict with "kubectl-edit" using apps/v1
            let manager = cause.message.split('"').nth(1).unwrap_or(cause.message.as_str());
            (manager, cause.field.as_str())
        })
    }

    fn field_conflict(&self) -> Failure {
        let owned: Vec<String> =
            self.owners().map(|(manager, field)| format!("\"{manager}\" owns {field}")).collect();
        let message = format!(
            "other managers own fields of the Deployment: {}; let them give these up, or set force to take them over",
            owned.join(", ")
        );
        let conflicts: Vec<_> =
            self.owners().map(|(manager, field)| json!({ "manager": manager, "field": field })).collect();
        Failure::permanent("field-conflict", message).details(&json!({ "conflicts": conflicts }))
    }

    fn for_programs(&self, http: u16) -> Value {
        json!({
            "status": http,
            "reason": self.reason,
            "kind": self.details.kind,
            "name": self.details.name,
            "causes": self.details.causes,
        })
    }
}
