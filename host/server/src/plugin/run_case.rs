//! Runs one case in the sandbox as the host would run a step, and holds the outcome against what is expected.

use std::sync::Arc;

use quantum_core::id::{Digest, ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use quantum_core::installation::SettingsTable;
use quantum_core::manifest::{ActionManifest, HostPattern, Manifest};
use quantum_core::port::{
    ActionEntry, Attempt, AttemptOutcome, Bill, CancelFlag, Failure, Grant, LogLine, PrincipalKind,
    Requester, StepSubject,
};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::{Environment, Signature, Trust};
use quantum_engine::{Clock, SystemClock};
use serde_json::{Value, json};
use uuid::Uuid;

use super::case::{Case, Expected, Input};
use super::compare::{difference, difference_in_named};
use super::error::Error;
use super::service::Service;
use super::workbench::Workbench;

/// How a case went.
pub(super) struct Outcome {
    pub action: String,
    /// Empty: as expected.
    pub complaints: Vec<String>,
    pub bill: Bill,
    pub logs: Vec<LogLine>,
}

pub(super) async fn run(
    bench: &Workbench,
    component: &Digest,
    manifest: &Manifest,
    case: &Case,
) -> Result<Outcome, Error> {
    let service = match &case.script {
        Some(exchanges) => Some(Service::start(exchanges).await?),
        None => None,
    };
    let server = service.as_ref().map(Service::url).unwrap_or_default();
    let (input, expected) = (case.input(&server)?, case.expected(&server)?);
    let refused = |reason: String| Error::Case { path: case.name.clone().into(), reason };
    let entry = Arc::new(entry(component, manifest, &input, &server).map_err(refused)?);
    let misfits = entry.parameters.findings(&input.parameters, "/parameters", "parameters");
    let (report, logs) = bench.run(attempt(&entry, &input)).await;
    let mut complaints = compare(&expected, &report.outcome, &entry.result);
    complaints.extend(service.iter().flat_map(Service::complaints));
    if matches!(expected, Expected::Output(_)) {
        let misfits = misfits.iter().map(|f| format!("input.json: {}: {}", f.pointer, f.message));
        complaints.extend(misfits);
    }
    Ok(Outcome { action: input.action, complaints, bill: report.bill, logs })
}

/// The action as an installation would offer it; the service is what fills the slots.
fn entry(
    component: &Digest,
    manifest: &Manifest,
    input: &Input,
    server: &str,
) -> Result<ActionEntry, String> {
    let known = || manifest.actions.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
    let action = manifest.action(&input.action);
    let action =
        action.ok_or_else(|| format!("the plugin has no action \"{}\"; it has {}", input.action, known()))?;
    Ok(ActionEntry {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        component: component.clone(),
        parameters: Schema::compile(&action.parameters)?,
        result: Schema::compile(&action.result)?,
        manifest: ActionManifest { name: action.name.clone(), ..action.clone() },
        trust: Trust::Builtin,
        signature: Signature::None,
        grant: grant(manifest, server)?,
        settings: Arc::new(SettingsTable::of_config(input.config.clone())),
    })
}

fn grant(manifest: &Manifest, server: &str) -> Result<Grant, String> {
    let http = manifest.capabilities.http.clone().unwrap_or_default();
    let slots = if http.slots.is_empty() || server.is_empty() { Vec::new() } else { vec![server.to_owned()] };
    let hosts: Result<Vec<_>, _> =
        http.hosts.iter().chain(&slots).map(|text| HostPattern::parse(text)).collect();
    Ok(quantum_catalog::grant(manifest, hosts.map_err(|error| error.to_string())?))
}

fn attempt(entry: &Arc<ActionEntry>, input: &Input) -> Attempt {
    let step = StepId::new("case").expect("a step id");
    let requester = PrincipalId::new("quantum-plugin-test").expect("a principal id");
    let subject = StepSubject {
        tenant: TenantId::new("plugin-test").expect("a tenant id"),
        execution: ExecutionId::from_uuid(Uuid::now_v7()),
        step,
        environment: Environment::Test,
        dry_run: input.dry_run,
        requested_by: Requester { id: requester, kind: PrincipalKind::User },
        action: entry.clone(),
    };
    Attempt {
        subject,
        intent: IntentName::new("plugin-test").expect("an intent name"),
        number: input.attempt,
        idempotency_key: Uuid::now_v7().to_string(),
        parameters: input.parameters.to_string(),
        timeout_ms: input.timeout_ms,
        deadline: SystemClock.now().plus_millis(input.timeout_ms),
        trace_parent: None,
        cancel: CancelFlag::default(),
    }
}

fn compare(expected: &Expected, outcome: &AttemptOutcome, result: &Schema) -> Vec<String> {
    match (expected, outcome) {
        (Expected::Output(expected), AttemptOutcome::Completed(value)) => {
            let misfits = result.findings(value, "", "result").into_iter();
            let misfits = misfits
                .map(|f| format!("the result does not fit its own schema: {}: {}", f.pointer, f.message));
            difference(expected, value).into_iter().chain(misfits).collect()
        }
        (Expected::Error(expected), outcome) => {
            difference_in_named(expected, &failure(outcome)).into_iter().collect()
        }
        (Expected::Output(_), AttemptOutcome::Failed(failure)) => {
            vec![format!("expected a result, got {}: {}", failure.problem.code, failure.problem.message)]
        }
        (Expected::Output(_), AttemptOutcome::Cancelled) => {
            vec!["expected a result, got: cancelled".to_owned()]
        }
    }
}

/// What `error.json` is held against.
fn failure(outcome: &AttemptOutcome) -> Value {
    match outcome {
        AttemptOutcome::Completed(value) => json!({ "completed": value }),
        AttemptOutcome::Cancelled => json!({ "code": "cancelled" }),
        AttemptOutcome::Failed(Failure { problem, retry_after_ms, .. }) => json!({
            "code": problem.code,
            "message": problem.message,
            "retryable": problem.retryable,
            "retry_after_ms": retry_after_ms,
            "details": problem.details,
        }),
    }
}
