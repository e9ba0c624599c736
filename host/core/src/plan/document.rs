//! The stored form of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::graph::Graph;
use crate::id::{Digest, IntentName, IntentUid, StepId};
use crate::intent::{Order, RetryPolicy};
use crate::manifest::Effects;
use crate::vocabulary::Environment;

/// The format that this host writes. Older ones load for ever; a newer one is refused.
pub const PLAN_FORMAT: u32 = 1;

/// Everything that an execution needs to know of its intent, whatever happens to the intent later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanDocument {
    pub format: u32,
    pub intent: PlannedIntent,
    pub environment: Environment,
    pub order: Order,
    pub steps: Vec<PlannedStep>,
    /// JSON Schema of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Template of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

impl PlanDocument {
    /// Steps that could run at the same time, level by level.
    pub fn levels(&self) -> Vec<Vec<usize>> {
        Graph::of_edges(self.steps.iter().map(|step| step.waits_for.clone()).collect()).levels()
    }
}

/// What expressions read as `intent`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedIntent {
    pub uid: IntentUid,
    pub name: IntentName,
    pub version: u32,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    pub definition: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub id: StepId,
    pub action: PinnedAction,
    /// With expressions.
    pub parameters: Map<String, Value>,
    /// Positions of the steps that must have succeeded before.
    pub waits_for: Vec<usize>,
    pub timeout_ms: u64,
    pub retry: RetryPolicy,
}

/// An action by the digest of its component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinnedAction {
    /// As the manifest names it.
    pub name: String,
    pub plugin: String,
    pub version: String,
    pub component: Digest,
    #[serde(default)]
    pub idempotent: bool,
    #[serde(default)]
    pub effects: Effects,
}
