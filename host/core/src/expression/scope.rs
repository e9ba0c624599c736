//! What an expression can see, borrowed from the execution.

use serde_json::Value;

use crate::vocabulary::StepStatus;

/// The variables of one evaluation.
pub struct Scope<'a> {
    pub input: &'a Value,
    /// `name`, `version`, `labels`, `definition`.
    pub intent: &'a Value,
    /// `id`, `started_at`.
    pub execution: &'a Value,
    /// The element of a `for_each`, by the name that the step gives it.
    pub element: Option<(&'a str, &'a Value)>,
    /// Of what is undone.
    pub result: Option<&'a Value>,
    /// Finds a step by its id.
    pub step: &'a dyn Fn(&str) -> Option<StepView<'a>>,
}

/// A step as others see it. Its output is absent until it has one.
#[derive(Clone, Copy)]
pub struct StepView<'a> {
    pub status: StepStatus,
    pub output: Option<&'a Value>,
}

impl<'a> Scope<'a> {
    /// A variable that is a plain value; `steps` is not one.
    pub(super) fn variable(&self, name: &str) -> Option<&'a Value> {
        match name {
            "input" => Some(self.input),
            "intent" => Some(self.intent),
            "execution" => Some(self.execution),
            name => {
                let element = self.element.filter(|(known, _)| *known == name).map(|(_, value)| value);
                // Plans of earlier hosts may have an element of this name.
                element.or_else(|| self.result.filter(|_| name == "result"))
            }
        }
    }
}

/// Why an expression gave no value. Fits after "failed to evaluate".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("${{ {source_text} }}: {reason}")]
pub struct EvaluationError {
    pub source_text: String,
    pub reason: String,
}
