//! One attempt as the engine asks for it, with a gate that permits and a log that forgets.

use std::sync::Arc;

use quantum_core::port::{Attempt, AttemptOutcome, Grant, StepRunner};
use quantum_sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::sandboxed;

pub const PARAMETERS: &str = r#"{"name":"Ada"}"#;

pub struct Runner {
    runtime: Runtime,
    sandbox: Arc<Sandbox>,
    attempt: Attempt,
}

impl Runner {
    pub fn new(component: Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let sandbox = sandboxed::sandbox(SandboxOptions::default());
        let digest = runtime.block_on(sandbox.install(component)).expect("the component fits");
        let attempt = sandboxed::attempt("tenant-123", digest, "hello", Grant::default(), PARAMETERS);
        Self { runtime, sandbox, attempt }
    }

    pub fn run(&self) -> Value {
        let report = self.runtime.block_on(self.sandbox.run(self.attempt.clone()));
        match report.outcome {
            AttemptOutcome::Completed(value) => value,
            other => unreachable!("the attempt is good: {other:?}"),
        }
    }
}
