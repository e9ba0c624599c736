//! A sandbox for the tool: the host's own, with a gate that allows what the manifest declares, toward this machine too.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{DecisionId, Digest, TenantId};
use quantum_core::port::{
    Attempt, AttemptReport, BoxFuture, ComponentSource, Decision, EffectGate, HttpCall, LogLine, LogSink,
    SecretCall, StepRunner, StepSubject, Verdict,
};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::AddressClass;
use quantum_sandbox::{EgressOptions, Ports, Sandbox, SandboxOptions};
use uuid::Uuid;

use super::error::Error;
use super::memory::Memory;
use crate::keys;

/// Cases run one after the other; a place more costs address space.
const ATTEMPTS_MAX: u32 = 2;
/// Where a case's own services listen.
const LOOPBACK: &str = "127.0.0.0/8";

pub(super) struct Workbench {
    sandbox: Arc<Sandbox>,
    /// None: nothing is kept.
    compiled: Option<PathBuf>,
    lines: Arc<Lines>,
    pub memory: Memory,
    tenants: AtomicU64,
}

impl Workbench {
    pub fn new() -> Result<Self, Error> {
        Self::with(SandboxOptions::default())
    }

    /// One that keeps what it compiled in this folder: large components take long.
    pub fn caching(dir: &Path) -> Result<Self, Error> {
        let key = keys::secret(&dir.join("cache.key")).map_err(Error::Cache)?;
        let cache_dir = Some(dir.to_owned());
        Self::with(SandboxOptions { cache_dir, cache_key: key, ..SandboxOptions::default() })
    }

    fn with(options: SandboxOptions) -> Result<Self, Error> {
        let (lines, memory) = (Arc::new(Lines::default()), Memory::default());
        let allow_cidrs = vec![LOOPBACK.parse().expect("a loopback range")];
        let egress = EgressOptions { allow_cidrs, ..EgressOptions::default() };
        let compiled = options.cache_dir.clone();
        let options = SandboxOptions {
            attempts_max: ATTEMPTS_MAX,
            // Cases are meant to break it.
            broken_in_a_row_max: u32::MAX,
            egress,
            ..options
        };
        let ports = Ports {
            gate: Arc::new(Declared),
            logs: lines.clone(),
            components: Arc::new(Nothing),
            artifacts: memory.artifacts.clone(),
            key_values: memory.key_values.clone(),
            secrets: memory.secrets.clone(),
        };
        let sandbox = Sandbox::new(options, ports).map_err(Error::Sandbox)?;
        Ok(Self { sandbox, compiled, lines, memory, tenants: AtomicU64::new(0) })
    }

    /// A tenant that nobody had before: what one case stores, another does not find.
    pub fn tenant(&self) -> TenantId {
        let number = self.tenants.fetch_add(1, Ordering::Relaxed);
        TenantId::new(format!("plugin-test-{number}")).expect("letters, digits and - are a tenant id")
    }

    /// What a describing build tells.
    pub async fn describe(&self, component: Vec<u8>) -> Result<String, Error> {
        self.sandbox.describe(component).await.map_err(Error::Sandbox)
    }

    /// Compiles it, so that attempts can name it. Of what was compiled before only this one is kept.
    pub async fn install(&self, component: Vec<u8>) -> Result<Digest, Error> {
        let digest = self.sandbox.install(component).await.map_err(Error::Sandbox)?;
        if let Some(dir) = &self.compiled {
            forget_others(dir, &digest).map_err(Error::file(dir))?;
        }
        Ok(digest)
    }

    /// The report, and what was logged.
    pub async fn run(&self, attempt: Attempt) -> (AttemptReport, Vec<LogLine>) {
        let report = self.sandbox.run(attempt).await;
        let lines = std::mem::take(&mut *self.lines.0.lock().unwrap_or_else(PoisonError::into_inner));
        (report, lines)
    }
}

fn forget_others(dir: &Path, digest: &Digest) -> std::io::Result<()> {
    let ours = digest.as_str().trim_start_matches("sha256:");
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let other = !path.file_name().unwrap_or_default().to_string_lossy().starts_with(ours);
        if other && path.extension().is_some_and(|extension| extension == "cwasm") {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
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
