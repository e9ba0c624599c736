//! What an execution would do, without doing it.

use quantum_core::plan::PlannedStep;
use quantum_core::port::{ActionEntry, Verdict};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::FindingBody;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanBody {
    /// `name-vN`.
    pub intent: String,
    pub environment: &'static str,
    /// sequential or graph.
    #[schema(value_type = String)]
    pub order: quantum_core::intent::Order,
    /// Ids of the steps that can run at the same time, level by level.
    pub levels: Vec<Vec<String>>,
    pub steps: Vec<PlanStepBody>,
    pub findings: Vec<FindingBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanStep)]
pub(crate) struct PlanStepBody {
    pub id: String,
    pub action: String,
    /// `namespace:name`.
    pub plugin: String,
    pub plugin_version: String,
    /// Digest of the component that an execution would be pinned to.
    pub component: String,
    pub waits_for: Vec<String>,
    /// As written; expressions are filled in when the step starts.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    pub timeout_ms: u64,
    #[schema(value_type = Object)]
    pub retry: quantum_core::intent::RetryPolicy,
    pub idempotent: bool,
    /// What the installation grants.
    pub capabilities: Vec<&'static str>,
    /// Where it may send requests to.
    pub hosts: Vec<String>,
    /// Would the step be started for this caller now? None: the action is not installed any more.
    pub decision: Option<PlanDecision>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanDecision {
    pub id: String,
    pub allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Ids of the determining policies.
    pub policies: Vec<String>,
    pub policy_version: String,
}

impl PlanStepBody {
    pub fn new(step: &PlannedStep, waits_for: Vec<String>, entry: Option<&ActionEntry>) -> Self {
        let grant = entry.map(|entry| &entry.grant);
        let capabilities = grant.into_iter().flat_map(|grant| &grant.capabilities);
        let hosts = grant.into_iter().flat_map(|grant| &grant.hosts);
        Self {
            id: step.id.to_string(),
            action: step.action.name.clone(),
            plugin: step.action.plugin.clone(),
            plugin_version: step.action.version.clone(),
            component: step.action.component.to_string(),
            waits_for,
            parameters: step.parameters.clone(),
            timeout_ms: step.timeout_ms,
            retry: step.retry.clone(),
            idempotent: step.action.idempotent,
            capabilities: capabilities.map(|capability| capability.as_str()).collect(),
            hosts: hosts.map(ToString::to_string).collect(),
            decision: None,
        }
    }
}

impl From<Verdict> for PlanDecision {
    fn from(verdict: Verdict) -> Self {
        let decision = verdict.decision;
        Self {
            id: decision.id.to_string(),
            allowed: verdict.allowed,
            reason: decision.reason,
            policies: decision.policies,
            policy_version: decision.policy_version,
        }
    }
}
