//! A sandbox for the tool: the host's own, with a gate that allows what the manifest declares, toward this machine too.

use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{DecisionId, Digest};
use quantum_core::port::{
    Attempt, AttemptReport, BoxFuture, ComponentSource, Decision, EffectGate, HttpCall, LogLine, LogSink,
    SecretCall, StepRunner, StepSubject, Verdict,
};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::AddressClass;
use quantum_sandbox::{EgressOptions, Ports, Sandbox, SandboxOptions};
use uuid::Uuid;

use super::error::Error;

/// Cases run one after the other; a place more costs address space.
const ATTEMPTS_MAX: u32 = 2;
/// Where a case's own services listen.
const LOOPBACK: &str = "127.0.0.0/8";

pub(super) struct Workbench {
    sandbox: Arc<Sandbox>,
    lines: Arc<Lines>,
}

impl Workbench {
    pub fn new() -> Result<Self, Error> {
        let lines = Arc::new(Lines::default());
        let allow_cidrs = vec![LOOPBACK.parse().expect("a loopback range")];
        let egress = EgressOptions { allow_cidrs, ..EgressOptions::default() };
        let options = SandboxOptions { attempts_max: ATTEMPTS_MAX, egress, ..SandboxOptions::default() };
        let ports = Ports { gate: Arc::new(Declared), logs: lines.clone(), components: Arc::new(Nothing) };
        let sandbox = Sandbox::new(options, ports).map_err(Error::Sandbox)?;
        Ok(Self { sandbox, lines })
    }

    /// What a describing build tells.
    pub async fn describe(&self, component: Vec<u8>) -> Result<String, Error> {
        self.sandbox.describe(component).await.map_err(Error::Sandbox)
    }

    /// Compiles it, so that attempts can name it.
    pub async fn install(&self, component: Vec<u8>) -> Result<Digest, Error> {
        self.sandbox.install(component).await.map_err(Error::Sandbox)
    }

    /// The report, and what was logged.
    pub async fn run(&self, attempt: Attempt) -> (AttemptReport, Vec<LogLine>) {
        let report = self.sandbox.run(attempt).await;
        let lines = std::mem::take(&mut *self.lines.0.lock().unwrap_or_else(PoisonError::into_inner));
        (report, lines)
    }
}

/// Allows what the grant covers, on public addresses and on this machine.
struct Declared;

impl EffectGate for Declared {
    fn http_request(&self, _subject: &StepSubject, call: &HttpCall<'_>, _now: Timestamp) -> Verdict {
        let reachable = matches!(call.address_class, AddressClass::Public | AddressClass::OperatorAllowed);
        Verdict { allowed: call.granted && reachable, decision: decision() }
    }

    fn secret(&self, _subject: &StepSubject, _call: &SecretCall<'_>, _now: Timestamp) -> Verdict {
        Verdict { allowed: true, decision: decision() }
    }
}

fn decision() -> Decision {
    Decision {
        id: DecisionId::from_uuid(Uuid::now_v7()),
        policies: Vec::new(),
        reason: Some("quantum plugin test allows what the manifest declares".to_owned()),
        policy_version: "plugin-test".to_owned(),
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<LogLine>>);

impl LogSink for Lines {
    fn write(&self, line: LogLine) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// What is not installed on the bench is not there.
struct Nothing;

impl ComponentSource for Nothing {
    fn read(&self, _component: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>> {
        Box::pin(async { Ok(None) })
    }
}
