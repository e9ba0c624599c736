//! One call of an action in the sandbox, made as the host makes it for a step: the action as an installation would offer
//! it, what the call finds there, and one attempt. What came of it is for others to judge.

use std::sync::Arc;

use quantum_core::id::{ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use quantum_core::installation::SettingsTable;
use quantum_core::manifest::{ActionManifest, HostPattern, Manifest};
use quantum_core::port::{
    ActionEntry, Attempt, AttemptOutcome, AttemptReport, CancelFlag, Grant, KeyValueSpace, LogLine,
    PrincipalKind, RecordingSlot, Requester, RunningBill, StepSubject,
};
use quantum_core::problem::Finding;
use quantum_core::recording::{Difference, Recording};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::{Signature, Trust};
use quantum_engine::{Clock, SystemClock};
use quantum_sandbox::Replayed;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::allow::{self, Remedy};
use super::case::{Case, Input};
use super::error::Error;
use super::given::Given;
use super::packed::Packed;
use super::service::Service;

/// What a call finds when it starts, and the service that it talks to.
#[derive(Default)]
pub(super) struct Stage {
    pub service: Option<Service>,
    /// The service's base URL; empty without one.
    pub server: String,
    given: Given,
}

impl Stage {
    /// As the files of this folder have it. The service listens from now on.
    pub async fn set(folder: &Case) -> Result<Self, Error> {
        let service = if folder.has_service() { Some(Service::start().await?) } else { None };
        let server = service.as_ref().map(Service::url).unwrap_or_default();
        if let Some(service) = &service {
            service.expect(folder.script(&server)?);
        }
        let given = Given::read(folder, &server)?;
        Ok(Self { service, server, given })
    }
}

/// An action with its input.
pub(super) struct Call {
    pub stage: Stage,
    pub input: Input,
}

/// What came of a call.
pub(super) struct Called {
    pub report: AttemptReport,
    pub logs: Vec<LogLine>,
    /// Who it was made for: what it stored is theirs.
    pub tenant: TenantId,
    /// Where a result does not fit the action's own schema.
    pub result_misfits: Vec<Finding>,
    /// What would allow what it was denied.
    pub remedies: Vec<Remedy>,
}

impl Call {
    /// What a host would not have accepted: parameters of a step, and the configuration of an installation.
    pub fn misfits(&self, packed: &Packed) -> Result<Vec<Finding>, String> {
        let manifest = &packed.inspection.manifest;
        let parameters = Schema::compile(&action(manifest, &self.input.action)?.parameters)?;
        let mut misfits = parameters.findings(&self.input.parameters, "/parameters", "parameters");
        if let Some(schema) = &manifest.config {
            let config = self.settings().of(self.input.environment).config.clone();
            misfits.extend(Schema::compile(schema)?.findings(&Value::Object(config), "/config", "config"));
        }
        Ok(misfits)
    }

    /// Makes it, for a tenant that nobody had before.
    pub async fn make(&self, packed: &Packed) -> Result<Called, String> {
        let service = self.stage.given.hosts(self.input.environment, &self.stage.server)?;
        let hosts = [service, packed.network.hosts.clone()].concat();
        let entry = Arc::new(self.entry(packed, &hosts)?);
        let tenant = packed.bench.tenant();
        let space = KeyValueSpace { tenant: tenant.clone(), plugin: entry.plugin.clone() };
        self.stage.given.store(&packed.bench.memory, &space, self.input.environment, &hosts)?;
        let reachable = self.stage.service.as_ref().map(|service| service.address());
        let (report, logs) = packed.bench.run(self.attempt(&entry, &tenant), reachable).await;
        let mut called = called(report, logs, tenant, &entry);
        called.advise(packed);
        Ok(called)
    }

    /// An attempt of this action as it was recorded.
    pub fn again(recording: &Recording) -> Self {
        let inputs = &recording.inputs;
        let input = Input {
            action: inputs.action.clone(),
            parameters: Value::Null,
            config: Map::new(),
            environment: inputs.environment,
            timeout_ms: inputs.timeout_ms,
            attempt: inputs.attempt,
            dry_run: inputs.dry_run,
        };
        Self { stage: Stage::default(), input }
    }

    /// Makes it again. Err: the component did something else than what was recorded.
    pub async fn replay(
        &self,
        packed: &Packed,
        recording: Recording,
    ) -> Result<Result<Called, Difference>, String> {
        let entry = Arc::new(self.entry(packed, &[])?);
        let tenant = packed.bench.tenant();
        Ok(match packed.bench.replay(self.attempt(&entry, &tenant), recording).await {
            (Replayed::Ended(report), logs) => Ok(called(report, logs, tenant, &entry)),
            (Replayed::Stopped(difference), _) => Err(difference),
        })
    }

    fn settings(&self) -> SettingsTable {
        let settings = self.stage.given.settings.clone().map(SettingsTable::new);
        settings.unwrap_or_else(|| SettingsTable::of_config(self.input.config.clone()))
    }

    /// The action as an installation would offer it.
    fn entry(&self, packed: &Packed, hosts: &[HostPattern]) -> Result<ActionEntry, String> {
        let manifest = &packed.inspection.manifest;
        let action = action(manifest, &self.input.action)?;
        Ok(ActionEntry {
            plugin: manifest.id.clone(),
            version: manifest.version.clone(),
            component: packed.inspection.digest.clone(),
            parameters: Schema::compile(&action.parameters)?,
            result: Schema::compile(&action.result)?,
            manifest: action.clone(),
            trust: Trust::Untrusted,
            signature: Signature::None,
            grant: grant(manifest, hosts)?,
            settings: Arc::new(self.settings()),
        })
    }

    fn attempt(&self, entry: &Arc<ActionEntry>, tenant: &TenantId) -> Attempt {
        let input = &self.input;
        let requester = PrincipalId::new("quantum-plugin-tool").expect("a principal id");
        let subject = StepSubject {
            tenant: tenant.clone(),
            execution: ExecutionId::from_uuid(Uuid::now_v7()),
            step: StepId::new("case").expect("a step id"),
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
            memory_bytes_max: None,
            timeout_ms: input.timeout_ms,
            deadline: SystemClock.now().plus_millis(input.timeout_ms),
            trace_parent: None,
            cancel: CancelFlag::default(),
            bill: RunningBill::default(),
            recording: RecordingSlot::default(),
        }
    }
}

impl Called {
    fn advise(&mut self, packed: &Packed) {
        let AttemptOutcome::Failed(failure) = &mut self.report.outcome else { return };
        let manifest = &packed.inspection.manifest;
        self.remedies = allow::remedies(&failure.problem, manifest, &packed.network);
        if let Some(remedy) = self.remedies.first() {
            let written = remedy.written(packed.form, &manifest.capabilities);
            allow::tell_here(&mut failure.problem, &written);
        }
    }
}

fn called(report: AttemptReport, logs: Vec<LogLine>, tenant: TenantId, entry: &ActionEntry) -> Called {
    let result_misfits = match &report.outcome {
        AttemptOutcome::Completed(value) => entry.result.findings(value, "", "result"),
        _ => Vec::new(),
    };
    Called { report, logs, tenant, result_misfits, remedies: Vec::new() }
}

fn action<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a ActionManifest, String> {
    let known = || manifest.actions.iter().map(|action| action.name.as_str()).collect::<Vec<_>>().join(", ");
    manifest.action(name).ok_or_else(|| format!("the plugin has no action \"{name}\"; it has {}", known()))
}

/// The declared hosts; what the service stands for, and what the author allows, fill the slots.
fn grant(manifest: &Manifest, hosts: &[HostPattern]) -> Result<Grant, String> {
    let http = manifest.capabilities.http.clone().unwrap_or_default();
    let fixed: Result<Vec<_>, _> = http.hosts.iter().map(|text| HostPattern::parse(text)).collect();
    let mut all = fixed.map_err(|error| error.to_string())?;
    if !http.slots.is_empty() {
        all.extend_from_slice(hosts);
    }
    Ok(quantum_catalog::grant(manifest, all))
}
