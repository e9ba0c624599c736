//! The typed form of `definition`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::StepId;
use crate::problem::Finding;

/// What should happen, as steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub target: Option<String>,
    pub order: Order,
    /// JSON Schema of the input of an execution.
    pub input: Option<Value>,
    pub steps: Vec<StepDefinition>,
    /// Template of the execution's output.
    pub output: Option<Value>,
    /// Milliseconds for a whole execution.
    pub timeout_ms: Option<u64>,
    pub concurrency: Option<Concurrency>,
}

impl Definition {
    /// Reads a stored `definition`, which was checked when it was stored.
    pub fn read(source: &Value) -> (Self, Vec<Finding>) {
        let mut findings = Vec::new();
        let definition = super::read::read_definition(source, &mut findings);
        (definition, findings)
    }
}

/// How many executions with the same key may run beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// CEL over `input` and `intent`; none: all executions of the intent share one key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub limit: u32,
    pub on_limit: OnLimit,
}

/// What happens to a start over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLimit {
    /// It is accepted and waits for its turn.
    #[default]
    Queue,
    /// It is refused.
    Reject,
    /// The oldest one that runs is cancelled for it.
    Replace,
}

/// Which steps may run beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after another, as written.
    #[default]
    Sequential,
    /// `depends_on` and references in expressions are the edges; everything else runs in parallel.
    Graph,
}

/// One step as written.
#[derive(Debug, Clone, PartialEq)]
pub struct StepDefinition {
    pub id: StepId,
    /// As the document names it.
    pub action: String,
    /// `parameters` and inline keys together, with expressions.
    pub parameters: Map<String, Value>,
    /// Names of the parameters that were written inline.
    pub inline: Vec<String>,
    /// Names of the parameters that the installation's defaults filled in.
    pub filled: Vec<String>,
    pub depends_on: Vec<String>,
    /// CEL; the step is skipped when it is false.
    pub when: Option<String>,
    pub for_each: Option<ForEach>,
    /// Milliseconds of one attempt, as far as it is written.
    pub timeout_ms: Option<u64>,
    pub retry: RetryPolicy,
    pub on_error: OnError,
    pub on_exhausted: OnExhausted,
    /// What undoes the step, with the step's own id.
    pub compensate: Option<Box<StepDefinition>>,
}

/// One child of the step for each element of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForEach {
    /// CEL that gives the list.
    #[serde(rename = "in")]
    pub list: String,
    /// The variable that holds the element.
    #[serde(rename = "as")]
    pub variable: String,
    pub max_parallel: u32,
}

/// What the failure of a step means to the execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    #[default]
    Fail,
    Continue,
}

/// What follows the last attempt that the retry policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    #[default]
    Fail,
    /// The step waits for an operator.
    Park,
}

/// When a failed attempt is followed by another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// All attempts together, the first one included.
    pub max_attempts: u32,
    pub initial_interval_ms: u64,
    pub multiplier: f64,
    pub max_interval_ms: u64,
    /// Full jitter: a wait is drawn from nothing to the whole interval.
    pub jitter: bool,
    /// Milliseconds after the first attempt's start at which the last one may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_ms: Option<u64>,
    /// Codes of failures after which no attempt is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub non_retryable: Vec<String>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_interval_ms: 1_000,
            multiplier: 2.0,
            max_interval_ms: 60_000,
            jitter: true,
            budget_ms: None,
            non_retryable: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// Milliseconds before the attempt after `attempt`. `chance` lies in 0..1 and is drawn by the caller.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "intervals are capped far below the range in which a double is exact"
    )]
    pub fn interval_ms(&self, attempt: u32, chance: f64) -> u64 {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.initial_interval_ms as f64 * self.multiplier.powi(exponent);
        let capped = grown.min(self.max_interval_ms as f64);
        let drawn = if self.jitter { capped * chance } else { capped };
        drawn.max(0.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_grow_to_the_cap_and_jitter_only_shortens_them() {
        let policy = RetryPolicy { jitter: false, ..RetryPolicy::default() };
        let waits: Vec<u64> = [1, 2, 3, 7, 60].iter().map(|n| policy.interval_ms(*n, 0.9)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 60_000, 60_000]);
        assert_eq!(RetryPolicy::default().interval_ms(2, 0.25), 500);
    }
}
