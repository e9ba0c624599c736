//! The guest of `script.wat`, which does what its parameters say.

use std::sync::OnceLock;

use quantum_core::manifest::{SecretDeclaration, SecretPlace};
use quantum_core::port::{AttemptOutcome, AttemptReport, Grant};
use quantum_core::vocabulary::Capability;
use serde_json::Value;

use crate::guests;
use crate::world::{World, attempt, hosts, with_settings};

pub fn script() -> Vec<u8> {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT
        .get_or_init(|| guests::component(guests::WORLD, &with_letters(include_str!("script.wat"))))
        .clone()
}

/// The text format has no letters as numbers: `'a'` stands for `(i32.const 97)`.
fn with_letters(text: &str) -> String {
    let mut parts = text.split('\'');
    let mut module = parts.next().unwrap().to_owned();
    while let (Some(letter), Some(rest)) = (parts.next(), parts.next()) {
        let letter = letter.chars().next().unwrap();
        module.push_str(&format!("(i32.const {})", u32::from(letter)));
        module.push_str(rest);
    }
    module
}

/// Everything of stored data, and one secret, for these hosts.
pub fn everything(patterns: &[&str], places: &[SecretPlace]) -> Grant {
    use Capability::{Artifacts, Http, Kv, SecretsReveal, SecretsUse};
    Grant {
        capabilities: vec![Http, Kv, Artifacts, SecretsUse, SecretsReveal],
        secrets: vec![SecretDeclaration { name: "TOKEN".to_owned(), places: places.to_vec() }],
        reveal: vec!["TOKEN".to_owned()],
        ..hosts(patterns)
    }
}

impl World {
    pub async fn script(&self, grant: Grant, lines: &[&str]) -> AttemptReport {
        self.script_with(Value::Null, grant, lines).await
    }

    /// `settings`: of the installation; null: those of every attempt here.
    pub async fn script_with(&self, settings: Value, grant: Grant, lines: &[&str]) -> AttemptReport {
        use quantum_core::port::StepRunner;
        let digest = self.store(&script());
        let attempt = with_settings(attempt(&digest, grant, &lines.join("\n")), settings);
        self.sandbox.run(attempt).await
    }
}

/// The result as JSON text, or `code: message` of the failure.
pub fn told(report: &AttemptReport) -> String {
    match &report.outcome {
        AttemptOutcome::Completed(value) => value.to_string(),
        AttemptOutcome::Failed(failure) => failure.problem.to_string(),
        AttemptOutcome::Cancelled => "cancelled".to_owned(),
    }
}
