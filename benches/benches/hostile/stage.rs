//! A sandbox with a hostile plugin in one tenant and a neighbour in another, and a server whose answer has no end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quantum_core::id::{DecisionId, Digest};
use quantum_core::manifest::HostPattern;
use quantum_core::port::{
    Attempt, AttemptOutcome, AttemptReport, Decision, EffectGate, Grant, HttpCall, SecretCall, StepRunner,
    StepSubject, Verdict,
};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Capability;
use quantum_sandbox::{Sandbox, SandboxOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::attack::Attack;
use crate::{component, sandboxed};

/// Milliseconds that an attack which does not end by itself is given.
const ATTACK_MS_MAX: u64 = 50;
const PARAMETERS: &str = r#"{"name":"Ada"}"#;

pub struct Stage {
    sandbox: Arc<Sandbox>,
    hostile: Digest,
    neighbour: Digest,
    pub neighbour_name: &'static str,
    port: u16,
    server: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Stage {
    pub async fn new(hostile: Vec<u8>) -> Self {
        // A suspended component harms nobody; these go on.
        let options = SandboxOptions { broken_in_a_row_max: u32::MAX, ..SandboxOptions::default() };
        let sandbox = sandboxed::sandbox(options, Arc::new(Permitting));
        let hostile = sandbox.install(hostile).await.expect("the component fits");
        let well = component::load();
        let neighbour = sandbox.install(well.bytes).await.expect("the component fits");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(endless(stream));
            }
        });
        Self { sandbox, hostile, neighbour, neighbour_name: well.name, port, server }
    }

    /// How long one attempt of the neighbour takes. It must get its answer.
    pub async fn neighbour(&self) -> Duration {
        let attempt =
            sandboxed::attempt("neighbour", self.neighbour.clone(), "hello", Grant::default(), PARAMETERS);
        let begun = Instant::now();
        let report = self.run(attempt).await;
        let took = begun.elapsed();
        assert!(matches!(report.outcome, AttemptOutcome::Completed(_)), "{:?}", report.outcome);
        took
    }

    /// One attack. It must get its error.
    pub async fn attack(&self, attack: &Attack) {
        let parameters = attack.parameters.replace("{port}", &self.port.to_string());
        let mut attempt =
            sandboxed::attempt("attacker", self.hostile.clone(), attack.action, grant(), &parameters);
        if attack.code == Some("timeout") {
            attempt.timeout_ms = ATTACK_MS_MAX;
        }
        let report = self.run(attempt).await;
        let code = match &report.outcome {
            AttemptOutcome::Failed(failure) => Some(failure.problem.code.as_str()),
            _ => None,
        };
        assert_eq!(code, attack.code, "{}: {:?}", attack.name(), report.outcome);
    }

    /// On the threads where the host runs attempts.
    async fn run(&self, attempt: Attempt) -> AttemptReport {
        tokio::spawn(self.sandbox.run(attempt)).await.expect("it does not panic")
    }
}

/// Everything is permitted.
struct Permitting;

impl EffectGate for Permitting {
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

/// Everything, and this machine.
fn grant() -> Grant {
    let here = HostPattern::parse("http://127.0.0.1:*").expect("a good pattern");
    Grant { capabilities: vec![Capability::Http, Capability::Kv], hosts: vec![here], ..Grant::default() }
}

/// Until the other side hangs up.
async fn endless(mut stream: TcpStream) {
    let mut head = [0; 1024];
    let mut told = stream.read(&mut head).await.map(drop);
    if told.is_ok() {
        told = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
    }
    let piece = vec![b'x'; 256 * 1024];
    while told.is_ok() {
        told = stream.write_all(&piece).await;
    }
}
