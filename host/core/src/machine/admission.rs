//! Admission of a step: its parameters are filled in, held against the action's schema, and the policies are asked.
//! The engine brings the answers together; what is pure about it is here.

use super::execution::Execution;
use crate::port::{ActionEntry, Decision};
use crate::problem::Problem;

/// May the ready step start?
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    Start {
        /// JSON text.
        parameters: String,
        decision: Decision,
    },
    /// It fails for good, without an attempt.
    Refuse { error: Problem, decision: Option<Decision> },
}

/// Fills in the parameters of a step and holds them against the action's schema.
#[expect(clippy::result_large_err, reason = "the problem goes into an event as it is")]
pub fn prepare(execution: &Execution, step: usize, entry: &ActionEntry) -> Result<String, Problem> {
    let template = execution.plan.parameters(step);
    let template =
        template.ok_or_else(|| Problem::new("host-fault", format!("the plan has no step {step}")))?;
    let parameters = execution
        .with_scope(|scope| template.evaluate(scope))
        .map_err(|error| Problem::new("expression-failed", error.to_string()))?;
    let findings = entry.parameters.findings(&parameters, "", "parameters");
    if findings.is_empty() {
        return Ok(parameters.to_string());
    }
    let first = findings.first().map(|f| format!("{}: {}", f.pointer, f.message)).unwrap_or_default();
    let message = format!("the parameters do not fit the action \"{}\": {first}", entry.manifest.name);
    Err(Problem {
        details: serde_json::to_value(&findings).ok(),
        ..Problem::new("invalid-parameters", message)
    })
}
