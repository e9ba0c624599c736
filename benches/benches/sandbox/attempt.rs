//! One attempt as the engine asks for it, with a gate that permits and a log that forgets.

use std::sync::Arc;

use quantum_core::id::{DecisionId, Digest, ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use quantum_core::port::{
    ActionEntry, ArtifactInfo, ArtifactReader, ArtifactScope, ArtifactStore, ArtifactWriter, Attempt,
    AttemptOutcome, BoxFuture, CancelFlag, ComponentSource, Decision, EffectError, EffectGate, Grant,
    HttpCall, KeyValueEntry, KeyValueSpace, KeyValueStore, LogLine, LogSink, OpenSecret, PrincipalKind,
    RecordingSlot, Requester, RunningBill, SecretCall, SecretSource, StepRunner, StepSubject, Verdict,
};
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, Signature, Trust};
use quantum_sandbox::{Ports, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

pub const PARAMETERS: &str = r#"{"name":"Ada"}"#;

pub struct Runner {
    runtime: Runtime,
    sandbox: Arc<Sandbox>,
    attempt: Attempt,
}

impl Runner {
    pub fn new(component: Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ports = Ports {
            gate: Arc::new(Open),
            logs: Arc::new(Open),
            components: Arc::new(Open),
            key_values: Arc::new(Open),
            artifacts: Arc::new(Open),
            secrets: Arc::new(Open),
        };
        let sandbox = Sandbox::new(SandboxOptions::default(), ports).expect("a sandbox");
        let digest = runtime.block_on(sandbox.install(component)).expect("the component fits");
        Self { runtime, sandbox, attempt: attempt(digest) }
    }

    pub fn run(&self) -> Value {
        let report = self.runtime.block_on(self.sandbox.run(self.attempt.clone()));
        match report.outcome {
            AttemptOutcome::Completed(value) => value,
            other => unreachable!("the attempt is good: {other:?}"),
        }
    }
}

/// The ports: everything is permitted, nothing is kept.
struct Open;

impl EffectGate for Open {
    fn http_request(&self, _: &StepSubject, _: &HttpCall<'_>, _: Timestamp) -> Verdict {
        let id = DecisionId::from_uuid(Default::default());
        let decision = Decision { id, policies: Vec::new(), reason: None, policy_version: String::new() };
        Verdict { allowed: true, decision }
    }

    fn secret(&self, _: &StepSubject, _: &SecretCall<'_>, _: Timestamp) -> Verdict {
        let id = DecisionId::from_uuid(Default::default());
        let decision = Decision { id, policies: Vec::new(), reason: None, policy_version: String::new() };
        Verdict { allowed: true, decision }
    }
}

impl LogSink for Open {
    fn write(&self, _: LogLine) {}
}

impl ComponentSource for Open {
    fn read(&self, _: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>> {
        Box::pin(async { Ok(None) })
    }
}

impl KeyValueStore for Open {
    fn get(
        &self,
        _space: &KeyValueSpace,
        _key: &str,
    ) -> BoxFuture<'static, Result<Option<KeyValueEntry>, EffectError>> {
        Box::pin(async { Ok(None) })
    }

    fn set(
        &self,
        _space: &KeyValueSpace,
        _key: &str,
        _value: Vec<u8>,
        _ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<u64, EffectError>> {
        Box::pin(async { Err(nothing_kept()) })
    }

    fn compare_and_set(
        &self,
        _space: &KeyValueSpace,
        _key: &str,
        _expected: Option<u64>,
        _value: Vec<u8>,
        _ttl_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<Option<u64>, EffectError>> {
        Box::pin(async { Err(nothing_kept()) })
    }

    fn delete(&self, _space: &KeyValueSpace, _key: &str) -> BoxFuture<'static, Result<(), EffectError>> {
        Box::pin(async { Ok(()) })
    }
}

impl ArtifactStore for Open {
    fn stat(
        &self,
        _scope: &ArtifactScope,
        _reference: &str,
    ) -> BoxFuture<'static, Result<Option<ArtifactInfo>, EffectError>> {
        Box::pin(async { Ok(None) })
    }

    fn open(
        &self,
        _scope: &ArtifactScope,
        reference: &str,
        _offset: u64,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactReader>, EffectError>> {
        let missing = EffectError::new("missing", format!("there is no artifact {reference:?}"));
        Box::pin(async { Err(missing) })
    }

    fn create(
        &self,
        _scope: &ArtifactScope,
        _media_type: Option<String>,
    ) -> BoxFuture<'static, Result<Box<dyn ArtifactWriter>, EffectError>> {
        Box::pin(async { Err(nothing_kept()) })
    }
}

impl SecretSource for Open {
    fn open(
        &self,
        _tenant: &TenantId,
        name: &str,
        _environment: Environment,
    ) -> BoxFuture<'static, Result<OpenSecret, EffectError>> {
        let missing = EffectError::new("missing", format!("there is no secret {name}"));
        Box::pin(async { Err(missing) })
    }
}

fn nothing_kept() -> EffectError {
    EffectError::unavailable("the bench keeps nothing")
}

fn attempt(component: Digest) -> Attempt {
    let subject = StepSubject {
        tenant: TenantId::new("tenant-123").expect("a good id"),
        execution: ExecutionId::from_uuid(Default::default()),
        step: StepId::new("greet").expect("a good id"),
        environment: Environment::Test,
        dry_run: false,
        requested_by: Requester {
            id: PrincipalId::new("olga").expect("a good id"),
            kind: PrincipalKind::User,
        },
        action: Arc::new(entry(component)),
    };
    Attempt {
        subject,
        intent: IntentName::new("greeting").expect("a good name"),
        number: 1,
        idempotency_key: "key".to_owned(),
        parameters: PARAMETERS.to_owned(),
        timeout_ms: 60_000,
        deadline: Timestamp::from_millis(1_795_428_000_250),
        trace_parent: None,
        cancel: CancelFlag::default(),
        bill: RunningBill::default(),
        recording: RecordingSlot::default(),
    }
}

fn entry(component: Digest) -> ActionEntry {
    let schema = || Schema::compile(&json!({})).expect("an empty schema compiles");
    let manifest = json!({ "name": "hello", "parameters": {}, "result": {} });
    ActionEntry {
        plugin: "quantum:hello".to_owned(),
        version: "1.0.0".to_owned(),
        component,
        manifest: serde_json::from_value(manifest).expect("a good manifest"),
        parameters: schema(),
        result: schema(),
        trust: Trust::Builtin,
        signature: Signature::Verified,
        grant: Grant::default(),
        settings: Arc::default(),
    }
}
