//! The stored form of a plan.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::graph::Graph;
use crate::builtin::BuiltIn;
use crate::id::{Digest, IntentName, IntentUid, StepId};
use crate::intent::{Concurrency, ForEach, OnError, OnExhausted, Order, RetryPolicy};
use crate::manifest::Effects;
use crate::vocabulary::Environment;

/// The format that this host writes. Older ones load for ever; a newer one is refused.
pub const PLAN_FORMAT: u32 = 2;

/// Everything that an execution needs to know of its intent, whatever happens to the intent later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanDocument {
    pub format: u32,
    pub intent: PlannedIntent,
    /// Of the blueprint that the steps come from. None: they are the intent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blueprint_revision: Option<u64>,
    pub environment: Environment,
    pub order: Order,
    pub steps: Vec<PlannedStep>,
    /// JSON Schema of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Template of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Milliseconds for the whole execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
}

impl PlanDocument {
    /// Steps that could run at the same time, level by level.
    pub fn levels(&self) -> Vec<Vec<usize>> {
        Graph::of_edges(self.steps.iter().map(|step| step.waits_for.clone()).collect()).levels()
    }
}

impl PlanDocument {
    /// A step and all that wait for it, directly or through others.
    pub fn after(&self, first: usize) -> BTreeSet<usize> {
        let mut after = BTreeSet::from([first]);
        loop {
            let before = after.len();
            for (at, step) in self.steps.iter().enumerate() {
                if step.waits_for.iter().any(|other| after.contains(other)) {
                    after.insert(at);
                }
            }
            if after.len() == before {
                return after;
            }
        }
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
    pub action: PlannedAction,
    /// With expressions.
    pub parameters: Map<String, Value>,
    /// Positions of the steps that must have ended before.
    pub waits_for: Vec<usize>,
    /// Of one attempt; of a built-in action see `PlannedAction`.
    pub timeout_ms: u64,
    pub retry: RetryPolicy,
    /// CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_exhausted: OnExhausted,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensate: Option<PlannedUndo>,
}

/// What undoes a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedUndo {
    pub action: PinnedAction,
    pub parameters: Map<String, Value>,
    pub timeout_ms: u64,
    pub retry: RetryPolicy,
}

/// Run by a plugin's component, or by the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlannedAction {
    BuiltIn {
        built_in: BuiltIn,
        /// How long it waits at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    Component(PinnedAction),
}

impl PlannedAction {
    /// As people know it.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn { built_in, .. } => built_in.action(),
            Self::Component(pinned) => &pinned.name,
        }
    }

    pub const fn component(&self) -> Option<&PinnedAction> {
        match self {
            Self::BuiltIn { .. } => None,
            Self::Component(pinned) => Some(pinned),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
