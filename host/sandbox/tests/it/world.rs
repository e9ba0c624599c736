//! A sandbox with everything around it: components in a map, recorded log lines, a gate made of a function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use quantum_core::id::{DecisionId, Digest, ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use quantum_core::installation::SettingsTable;
use quantum_core::manifest::{ActionManifest, HostPattern};
use quantum_core::port::{
    ActionEntry, Attempt, AttemptOutcome, AttemptReport, BoxFuture, CancelFlag, ComponentSource, Decision,
    EffectGate, Failure, FailureKind, Grant, HttpCall, LogEntry, LogLine, LogSink, PrincipalKind,
    RecordingSlot, Requester, RunningBill, SecretCall, StepRunner, StepSubject, Verdict,
};
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{AddressClass, Capability, Environment, Signature, Trust};
use quantum_sandbox::{Ports, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stores::{Artifacts, Secrets, Values};

#[derive(Default)]
pub struct Stored {
    bytes: Mutex<HashMap<Digest, Vec<u8>>>,
    /// While somebody holds it, reading goes on and on.
    pub slow: Arc<tokio::sync::Mutex<()>>,
}

impl ComponentSource for Stored {
    fn read(&self, component: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>> {
        let bytes = self.bytes.lock().unwrap().get(component).cloned();
        let slow = self.slow.clone();
        Box::pin(async move {
            drop(slow.lock().await);
            Ok(bytes)
        })
    }
}

#[derive(Default)]
pub struct Lines(Mutex<Vec<LogLine>>);

impl LogSink for Lines {
    fn write(&self, line: LogLine) {
        self.0.lock().unwrap().push(line);
    }
}

/// Answers by a function, and remembers what it was asked.
pub struct Gate {
    pub decide: Mutex<Decide>,
    pub decide_secret: Mutex<DecideSecret>,
    pub in_force: Mutex<InForce>,
    pub asked: Mutex<Vec<String>>,
}

type Decide = Box<dyn FnMut(&HttpCall<'_>) -> bool + Send>;
type InForce = Box<dyn FnMut(&StepSubject) -> Option<Arc<ActionEntry>> + Send>;
type DecideSecret = Box<dyn FnMut(&SecretCall<'_>) -> bool + Send>;

pub const DECISION: &str = "0198c0de-0000-7000-8000-000000000001";

impl EffectGate for Gate {
    fn in_force(&self, subject: &StepSubject) -> Option<Arc<ActionEntry>> {
        self.in_force.lock().unwrap()(subject)
    }

    fn http_request(&self, _: &StepSubject, call: &HttpCall<'_>, _: Timestamp) -> Verdict {
        let HttpCall { method, host, port, path, ip, address_class, .. } = call;
        self.asked.lock().unwrap().push(format!("{method} {host}:{port}{path} {ip} {address_class}"));
        let allowed = self.decide.lock().unwrap()(call);
        let inside = !matches!(address_class, AddressClass::Public | AddressClass::OperatorAllowed);
        let rule = if inside { "guard.address" } else { "team.no-calls" };
        let (policies, reason) = if allowed {
            (vec![], None)
        } else {
            (vec![rule.to_owned()], Some("internal addresses are not reached".to_owned()))
        };
        let id = DecisionId::parse(DECISION).unwrap();
        Verdict { allowed, decision: Decision { id, policies, reason, policy_version: String::new() } }
    }

    fn secret(&self, _: &StepSubject, call: &SecretCall<'_>, _: Timestamp) -> Verdict {
        let word = if call.reveal { "reveal" } else { "use" };
        self.asked.lock().unwrap().push(format!("{word} {} {}", call.name, call.environment));
        let allowed = self.decide_secret.lock().unwrap()(call);
        let (policies, reason) = if allowed {
            (vec![], None)
        } else {
            (vec!["secrets.frozen".to_owned()], Some("The secret is frozen.".to_owned()))
        };
        let id = DecisionId::parse(DECISION).unwrap();
        Verdict { allowed, decision: Decision { id, policies, reason, policy_version: String::new() } }
    }
}

pub struct World {
    pub sandbox: Arc<Sandbox>,
    pub gate: Arc<Gate>,
    pub stored: Arc<Stored>,
    pub values: Arc<Values>,
    pub artifacts: Arc<Artifacts>,
    pub secrets: Arc<Secrets>,
    lines: Arc<Lines>,
}

impl World {
    pub fn new() -> Self {
        Self::with(options())
    }

    pub fn with(options: SandboxOptions) -> Self {
        let stored = Arc::new(Stored::default());
        let lines = Arc::new(Lines::default());
        let gate = Arc::new(Gate {
            decide: Mutex::new(Box::new(|_| true)),
            decide_secret: Mutex::new(Box::new(|_| true)),
            in_force: Mutex::new(Box::new(|subject| Some(subject.action.clone()))),
            asked: Mutex::default(),
        });
        let (values, artifacts, secrets) = (Arc::default(), Arc::default(), Arc::default());
        let ports = Ports {
            gate: gate.clone(),
            logs: lines.clone(),
            components: stored.clone(),
            key_values: Arc::<Values>::clone(&values),
            artifacts: Arc::<Artifacts>::clone(&artifacts),
            secrets: Arc::<Secrets>::clone(&secrets),
        };
        let sandbox = Sandbox::new(options, ports).unwrap();
        Self { sandbox, gate, stored, values, artifacts, secrets, lines }
    }

    pub fn store(&self, bytes: &[u8]) -> Digest {
        let digest = digest_of(bytes);
        self.stored.bytes.lock().unwrap().insert(digest.clone(), bytes.to_vec());
        digest
    }

    pub fn forget(&self, digest: &Digest) {
        self.stored.bytes.lock().unwrap().remove(digest);
    }

    pub fn replace(&self, digest: &Digest, bytes: &[u8]) {
        self.stored.bytes.lock().unwrap().insert(digest.clone(), bytes.to_vec());
    }

    /// One attempt with a grant of nothing.
    pub async fn run(&self, component: &[u8], parameters: &str) -> AttemptReport {
        let digest = self.store(component);
        self.sandbox.run(attempt(&digest, Grant::default(), parameters)).await
    }

    pub async fn run_granted(&self, component: &[u8], grant: Grant, parameters: &str) -> AttemptReport {
        let digest = self.store(component);
        self.sandbox.run(attempt(&digest, grant, parameters)).await
    }

    /// The component must fail in exactly this way, and the sandbox must be well afterwards.
    pub async fn fails(&self, component: &[u8], kind: FailureKind, code: &str, message: &str) -> Failure {
        let failure = failure(self.run(component, "{}").await);
        let problem = &failure.problem;
        assert_eq!((failure.kind, problem.code.as_str(), problem.message.as_str()), (kind, code, message));
        self.is_well().await;
        failure
    }

    pub async fn is_well(&self) {
        let report = self.run(&crate::guests::echo(), r#"{"still":"well"}"#).await;
        assert_eq!(report.outcome, AttemptOutcome::Completed(json!({ "still": "well" })));
        assert!(matches!(self.sandbox.instances(), None | Some(0)));
    }

    /// `level message {fields}`, and `percent% message`.
    pub fn log(&self) -> Vec<String> {
        let line = |line: &LogLine| match &line.entry {
            LogEntry::StepLog { level, message, fields } if fields.is_empty() => format!("{level} {message}"),
            LogEntry::StepLog { level, message, fields } => {
                format!("{level} {message} {}", Value::Object(fields.clone()))
            }
            LogEntry::StepProgress { percent, message } => format!("{percent}% {message}"),
        };
        self.lines.0.lock().unwrap().iter().map(line).collect()
    }
}

/// Small, so that many sandboxes fit beside each other.
pub fn options() -> SandboxOptions {
    SandboxOptions { attempts_max: 8, ..SandboxOptions::default() }
}

pub fn digest_of(bytes: &[u8]) -> Digest {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::new(format!("sha256:{hex}")).unwrap()
}

pub fn failure(report: AttemptReport) -> Failure {
    match report.outcome {
        AttemptOutcome::Failed(failure) => failure,
        other => panic!("not a failure: {other:?}"),
    }
}

pub fn hosts(patterns: &[&str]) -> Grant {
    let hosts = patterns.iter().map(|pattern| HostPattern::parse(pattern).unwrap()).collect();
    Grant { capabilities: vec![Capability::Http], hosts, ..Grant::default() }
}

/// The same, of a plugin whose installer may add hosts.
pub fn slot(patterns: &[&str]) -> Grant {
    Grant { slots: vec!["target".to_owned()], ..hosts(patterns) }
}

pub fn attempt(component: &Digest, grant: Grant, parameters: &str) -> Attempt {
    attempt_of("tenant-1", component, grant, parameters)
}

pub fn attempt_of(tenant: &str, component: &Digest, grant: Grant, parameters: &str) -> Attempt {
    Attempt {
        subject: StepSubject {
            tenant: TenantId::new(tenant).unwrap(),
            execution: ExecutionId::from_uuid(Uuid::from_u128(7)),
            step: StepId::new("step-1").unwrap(),
            environment: Environment::ALL[0],
            dry_run: true,
            requested_by: Requester { id: PrincipalId::new("ana").unwrap(), kind: PrincipalKind::User },
            action: Arc::new(entry(component, grant, Trust::Verified)),
        },
        intent: IntentName::new("test").unwrap(),
        number: 2,
        idempotency_key: "key-1".to_owned(),
        parameters: parameters.to_owned(),
        memory_bytes_max: None,
        timeout_ms: 60_000,
        deadline: Timestamp::from_millis(1_763_892_000_123),
        trace_parent: None,
        cancel: CancelFlag::default(),
        bill: RunningBill::default(),
        recording: RecordingSlot::default(),
    }
}

/// The same attempt of an installation with these settings; null: as it is.
pub fn with_settings(mut attempt: Attempt, settings: Value) -> Attempt {
    if !settings.is_null() {
        let action = &attempt.subject.action;
        let entry = entry(&action.component, action.grant.clone(), action.trust);
        attempt.subject.action = with(entry, settings);
    }
    attempt
}

/// The same action with these settings.
pub fn with(mut entry: ActionEntry, settings: Value) -> Arc<ActionEntry> {
    entry.settings = Arc::new(SettingsTable::new(serde_json::from_value(settings).unwrap()));
    Arc::new(entry)
}

/// Blue everywhere, and orange in tests.
fn settings() -> SettingsTable {
    let written = json!({
        "config": { "colour": "blue" }, "environments": { "test": { "config": { "colour": "orange" } } }
    });
    SettingsTable::new(serde_json::from_value(written).unwrap())
}

pub fn entry(component: &Digest, grant: Grant, trust: Trust) -> ActionEntry {
    let manifest: ActionManifest =
        serde_json::from_value(json!({ "name": "act", "parameters": true, "result": true })).unwrap();
    ActionEntry {
        plugin: "test:guest".to_owned(),
        version: "1.0.0".to_owned(),
        component: component.clone(),
        manifest,
        parameters: Schema::compile(&json!(true)).unwrap(),
        result: Schema::compile(&json!(true)).unwrap(),
        trust,
        signature: Signature::Verified,
        grant,
        settings: Arc::new(settings()),
    }
}
