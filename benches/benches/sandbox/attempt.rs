//! One attempt as the engine asks for it: the decision whether it may start, by the shipped policies, and the attempt
//! itself. What it logs is forgotten.

use std::sync::Arc;

use quantum_core::id::Digest;
use quantum_core::port::{Attempt, AttemptOutcome, Grant, StepGate, StepRunner};
use quantum_policy::{Authorizer, PolicySet, PolicySources};
use quantum_sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::sandboxed;

pub const PARAMETERS: &str = r#"{"name":"Ada"}"#;

/// A host that has seen no component yet.
pub struct Host {
    runtime: Runtime,
    policies: Arc<Authorizer>,
    sandbox: Arc<Sandbox>,
}

/// With one component.
pub struct Runner {
    host: Host,
    attempt: Attempt,
}

impl Host {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let policies = PolicySet::compile(&PolicySources::shipped()).expect("the shipped policies are good");
        let policies = Arc::new(Authorizer::new(policies));
        let sandbox = sandboxed::sandbox(SandboxOptions::default(), policies.clone());
        Self { runtime, policies, sandbox }
    }

    pub fn install(&self, component: Vec<u8>) -> Digest {
        self.runtime.block_on(self.sandbox.install(component)).expect("the component fits")
    }
}

impl Runner {
    pub fn new(component: Vec<u8>) -> Self {
        let host = Host::new();
        let digest = host.install(component);
        let attempt = sandboxed::attempt("tenant-123", digest, "hello", Grant::default(), PARAMETERS);
        Self { host, attempt }
    }

    /// Whether it may start.
    pub fn decide(&self) {
        let Attempt { subject, number, deadline, .. } = &self.attempt;
        let verdict = self.host.policies.step_start(subject, *number, *deadline);
        assert!(verdict.allowed, "the shipped policies let a step start: {verdict:?}");
    }

    /// So many, one after another.
    pub fn run(&self, times: u32) -> Value {
        self.host.runtime.block_on(async {
            let mut last = Value::Null;
            for _ in 0..times {
                last = self.run_once().await;
            }
            last
        })
    }

    async fn run_once(&self) -> Value {
        self.decide();
        match self.host.sandbox.run(self.attempt.clone()).await.outcome {
            AttemptOutcome::Completed(value) => value,
            other => unreachable!("the attempt is good: {other:?}"),
        }
    }
}
