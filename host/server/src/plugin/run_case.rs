//! Runs one case in the sandbox as the host would run a step, and holds the outcome against what is expected.

use std::sync::Arc;

use quantum_core::id::{Digest, ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use quantum_core::installation::SettingsTable;
use quantum_core::manifest::{ActionManifest, HostPattern, Manifest};
use quantum_core::port::{
    ActionEntry, Attempt, AttemptOutcome, Bill, CancelFlag, Failure, Grant, KeyValueSpace, LogLine,
    PrincipalKind, Requester, RunningBill, StepSubject,
};
use quantum_core::problem::Finding;
use quantum_core::schema::Schema;
use quantum_core::vocabulary::{Signature, Trust};
use quantum_engine::{Clock, SystemClock};
use serde_json::{Value, json};
use uuid::Uuid;

use super::case::{Case, Expected, Input};
use super::compare::{difference, difference_in_named};
use super::error::Error;
use super::given::Given;
use super::left::Left;
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

/// A case with its files read, and `${server}` filled in.
struct Prepared {
    service: Option<Service>,
    input: Input,
    given: Given,
    expected: Expected,
    left: Left,
    /// What the service stands for.
    hosts: Vec<HostPattern>,
}

pub(super) async fn run(
    bench: &Workbench,
    component: &Digest,
    manifest: &Manifest,
    case: &Case,
) -> Result<Outcome, Error> {
    let refused = |reason: String| Error::Case { path: case.dir.clone(), reason };
    let prepared = prepare(case).await?;
    let Prepared { input, given, expected, .. } = &prepared;
    let entry = Arc::new(entry(component, manifest, &prepared).map_err(refused)?);
    let space = KeyValueSpace { tenant: bench.tenant(), plugin: manifest.id.clone() };
    given.store(&bench.memory, &space, input.environment, &prepared.hosts).map_err(refused)?;
    let misfits = misfits(manifest, &entry, input);
    let (report, logs) = bench.run(attempt(&entry, &space.tenant, input)).await;
    let mut complaints = compare(expected, &report.outcome, &entry.result);
    complaints.extend(prepared.left.complaints(&bench.memory, &space.tenant));
    complaints.extend(prepared.service.iter().flat_map(Service::complaints));
    if matches!(expected, Expected::Output(_)) {
        complaints.extend(misfits.iter().map(|f| format!("{}: {}", f.pointer, f.message)));
    }
    Ok(Outcome { action: prepared.input.action, complaints, bill: report.bill, logs })
}

async fn prepare(case: &Case) -> Result<Prepared, Error> {
    let service = if case.has_service() { Some(Service::start().await?) } else { None };
    let server = service.as_ref().map(Service::url).unwrap_or_default();
    if let Some(service) = &service {
        service.expect(case.script(&server)?);
    }
    let (input, given) = (case.input(&server)?, Given::read(case, &server)?);
    let hosts = given.hosts(input.environment, &server);
    let hosts = hosts.map_err(|reason| Error::Case { path: case.dir.join("settings.json"), reason })?;
    let (expected, left) = (case.expected(&server)?, Left::read(case, &server)?);
    Ok(Prepared { service, input, given, expected, left, hosts })
}

/// The action as an installation would offer it.
fn entry(component: &Digest, manifest: &Manifest, prepared: &Prepared) -> Result<ActionEntry, String> {
    let Prepared { input, given, hosts, .. } = prepared;
    let known = || manifest.actions.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
    let action = manifest.action(&input.action);
    let action =
        action.ok_or_else(|| format!("the plugin has no action \"{}\"; it has {}", input.action, known()))?;
    let settings = given.settings.clone().map(SettingsTable::new);
    let settings = settings.unwrap_or_else(|| SettingsTable::of_config(input.config.clone()));
    Ok(ActionEntry {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        component: component.clone(),
        parameters: Schema::compile(&action.parameters)?,
        result: Schema::compile(&action.result)?,
        manifest: ActionManifest { name: action.name.clone(), ..action.clone() },
        trust: Trust::Builtin,
        signature: Signature::None,
        grant: grant(manifest, hosts)?,
        settings: Arc::new(settings),
    })
}

/// What a host would not have accepted: parameters of a step, and the configuration of an installation.
fn misfits(manifest: &Manifest, entry: &ActionEntry, input: &Input) -> Vec<Finding> {
    let mut misfits = entry.parameters.findings(&input.parameters, "/parameters", "parameters");
    // A schema that does not compile was refused with the manifest.
    if let Some(Ok(schema)) = manifest.config.as_ref().map(Schema::compile) {
        let config = entry.settings.of(input.environment).config.clone();
        misfits.extend(schema.findings(&Value::Object(config), "/config", "config"));
    }
    misfits
}

/// The declared hosts; what the service stands for fills the slots.
fn grant(manifest: &Manifest, hosts: &[HostPattern]) -> Result<Grant, String> {
    let http = manifest.capabilities.http.clone().unwrap_or_default();
    let fixed: Result<Vec<_>, _> = http.hosts.iter().map(|text| HostPattern::parse(text)).collect();
    let mut all = fixed.map_err(|error| error.to_string())?;
    if !http.slots.is_empty() {
        all.extend_from_slice(hosts);
    }
    Ok(quantum_catalog::grant(manifest, all))
}

fn attempt(entry: &Arc<ActionEntry>, tenant: &TenantId, input: &Input) -> Attempt {
    let step = StepId::new("case").expect("a step id");
    let requester = PrincipalId::new("quantum-plugin-test").expect("a principal id");
    let subject = StepSubject {
        tenant: tenant.clone(),
        execution: ExecutionId::from_uuid(Uuid::now_v7()),
        step,
        environment: input.environment,
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
        bill: RunningBill::default(),
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
