//! A sandbox for the tool: the host's own, with a gate that opens the service of the call, and of the network what the
//! author named. What the manifest declares is asked before the gate is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use quantum_core::id::{DecisionId, Digest, TenantId};
use quantum_core::port::{
    Attempt, AttemptReport, BoxFuture, ComponentSource, Decision, EffectGate, HttpCall, LogLine, LogSink,
    SecretCall, StepRunner, StepSubject, Verdict,
};
use quantum_core::recording::Recording;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::AddressClass;
use quantum_sandbox::{EgressOptions, Ports, Replayed, Sandbox, SandboxOptions};
use uuid::Uuid;

use super::allow::{ADDRESS_CLOSED, NETWORK_CLOSED};
use super::error::Error;
use super::memory::Memory;
use super::network::Network;
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
    gate: Arc<Gate>,
    pub memory: Memory,
    tenants: AtomicU64,
}

impl Workbench {
    /// With a folder it keeps there what it compiled: large components take long.
    pub fn new(kept: Option<&Path>, network: &Network) -> Result<Self, Error> {
        // Cases are meant to break it.
        let broken_in_a_row_max = u32::MAX;
        let mut options =
            SandboxOptions { attempts_max: ATTEMPTS_MAX, broken_in_a_row_max, ..SandboxOptions::default() };
        if let Some(dir) = kept {
            options.cache_key = keys::secret(&dir.join("cache.key")).map_err(Error::Cache)?;
            options.cache_dir = Some(dir.to_owned());
        }
        let loopback = LOOPBACK.parse().expect("a loopback range");
        let allow_cidrs = network.cidrs.iter().copied().chain([loopback]).collect();
        options.egress = EgressOptions { allow_cidrs, ..EgressOptions::default() };
        let (lines, memory) = (Arc::new(Lines::default()), Memory::default());
        let gate = Arc::new(Gate { network: network.clone(), service: RwLock::default() });
        let ports = Ports {
            gate: gate.clone(),
            logs: lines.clone(),
            components: Arc::new(Nothing),
            artifacts: memory.artifacts.clone(),
            key_values: memory.key_values.clone(),
            secrets: memory.secrets.clone(),
        };
        let sandbox = Sandbox::new(options, ports).map_err(Error::Sandbox)?;
        let compiled = kept.map(Path::to_owned);
        Ok(Self { sandbox, compiled, lines, gate, memory, tenants: AtomicU64::new(0) })
    }

    /// Each line is handed to this as well, at the moment that it is written.
    pub fn follow(&self, tell: fn(&LogLine)) {
        // Told twice, the first one stays.
        let _already = self.lines.tell.set(tell);
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
    pub async fn install(&self, component: Vec<u8>, memory_bytes_max: Option<u64>) -> Result<Digest, Error> {
        let installed = self.sandbox.install_asking(component, memory_bytes_max).await;
        let digest = installed.map_err(Error::Sandbox)?;
        if let Some(dir) = &self.compiled {
            forget_others(dir, &digest).map_err(Error::file(dir))?;
        }
        Ok(digest)
    }

    /// Whether a host would install the component, without keeping anything of it.
    pub async fn check(&self, component: Vec<u8>, memory_bytes_max: Option<u64>) -> Result<(), Error> {
        self.sandbox.check(component, memory_bytes_max).await.map_err(Error::Sandbox)
    }

    /// An attempt made again from its recording, and what was logged.
    pub async fn replay(&self, attempt: Attempt, recording: Recording) -> (Replayed, Vec<LogLine>) {
        let replayed = self.sandbox.replay(attempt, recording).await;
        (replayed, self.logged())
    }

    /// The report, and what was logged. `service`: where the call's own service listens. One call after the other.
    pub async fn run(&self, attempt: Attempt, service: Option<SocketAddr>) -> (AttemptReport, Vec<LogLine>) {
        *self.gate.service.write().unwrap_or_else(PoisonError::into_inner) = service;
        let report = self.sandbox.run(attempt).await;
        (report, self.logged())
    }

    fn logged(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines.kept.lock().unwrap_or_else(PoisonError::into_inner))
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

/// Opens the service of the call, and what the author named on addresses that may be reached.
struct Gate {
    network: Network,
    /// Of the call that runs.
    service: RwLock<Option<SocketAddr>>,
}

impl Gate {
    fn decide(&self, call: &HttpCall<'_>) -> Verdict {
        let service = *self.service.read().unwrap_or_else(PoisonError::into_inner);
        if service == Some(SocketAddr::new(call.ip, call.port)) {
            return allowed();
        }
        if !self.network.allows(call) {
            let reason =
                "the network is closed to what this tool runs, except for hosts that --allow-host names";
            return refused(NETWORK_CLOSED, reason);
        }
        match call.address_class {
            AddressClass::Public | AddressClass::OperatorAllowed => allowed(),
            _ => refused(ADDRESS_CLOSED, "the host has an address that is in no range of --allow-cidr"),
        }
    }
}

impl EffectGate for Gate {
    fn http_request(&self, _subject: &StepSubject, call: &HttpCall<'_>, _now: Timestamp) -> Verdict {
        self.decide(call)
    }

    fn secret(&self, _subject: &StepSubject, _call: &SecretCall<'_>, _now: Timestamp) -> Verdict {
        allowed()
    }
}

fn allowed() -> Verdict {
    Verdict { allowed: true, decision: decision(&[], "quantum plugin allows what the manifest declares") }
}

fn refused(rule: &str, reason: &str) -> Verdict {
    Verdict { allowed: false, decision: decision(&[rule], reason) }
}

fn decision(rules: &[&str], reason: &str) -> Decision {
    Decision {
        id: DecisionId::from_uuid(Uuid::now_v7()),
        policies: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        reason: Some(reason.to_owned()),
        policy_version: "plugin-tool".to_owned(),
    }
}

#[derive(Default)]
struct Lines {
    kept: Mutex<Vec<LogLine>>,
    tell: OnceLock<fn(&LogLine)>,
}

impl LogSink for Lines {
    fn write(&self, line: LogLine) {
        if let Some(tell) = self.tell.get() {
            tell(&line);
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// What is not installed on the bench is not there.
struct Nothing;

impl ComponentSource for Nothing {
    fn read(&self, _component: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>> {
        Box::pin(async { Ok(None) })
    }
}

#[cfg(test)]
mod tests {
    use quantum_core::manifest::HostPattern;

    use super::*;

    /// The rule that refuses a call to this host, which has this address; none: it is allowed.
    fn check(host: &str, ip: &str, port: u16, address_class: AddressClass) -> Option<String> {
        let hosts = vec![HostPattern::parse("https://named.example").unwrap()];
        let network = Network { hosts, cidrs: Vec::new() };
        let service = RwLock::new(Some("127.0.0.1:4000".parse().unwrap()));
        let call = HttpCall {
            method: "GET",
            host,
            port,
            path: "/",
            tls: port == 443,
            ip: ip.parse().unwrap(),
            address_class,
            granted: true,
            attempt: 1,
        };
        let verdict = Gate { network, service }.decide(&call);
        (!verdict.allowed).then(|| verdict.decision.policies.join(" "))
    }

    #[test]
    fn only_the_service_and_what_the_author_named_are_reached() {
        use AddressClass::{Metadata, OperatorAllowed, Private, Public};
        let closed = Some(NETWORK_CLOSED.to_owned());
        assert_eq!(check("127.0.0.1", "127.0.0.1", 4000, OperatorAllowed), None);
        assert_eq!(check("127.0.0.1", "127.0.0.1", 4001, OperatorAllowed), closed);
        assert_eq!(check("other.example", "1.1.1.1", 443, Public), closed);
        assert_eq!(check("named.example", "1.1.1.1", 443, Public), None);
        assert_eq!(check("named.example", "1.1.1.1", 80, Public), closed);
        for class in [Private, Metadata] {
            let refused = check("named.example", "10.0.0.1", 443, class);
            assert_eq!(refused.as_deref(), Some(ADDRESS_CLOSED));
        }
    }
}
