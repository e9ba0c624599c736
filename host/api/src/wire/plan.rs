//! What an execution would do, without doing it.

use quantum_core::plan::{PlannedAction, PlannedStep};
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
    /// Where the steps come from; nothing: they are the intent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint: Option<PlanBlueprint>,
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
pub(crate) struct PlanBlueprint {
    pub name: String,
    /// An execution keeps the steps of the revision that it starts with.
    pub revision: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanStep)]
pub(crate) struct PlanStepBody {
    pub id: String,
    pub action: String,
    /// `namespace:name`; none: the host runs the action itself.
    pub plugin: Option<String>,
    pub plugin_version: Option<String>,
    /// Digest of the component that an execution would be pinned to.
    pub component: Option<String>,
    pub waits_for: Vec<String>,
    /// As written; expressions are filled in when the step starts.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Of one attempt; of an action of the host how long it waits at most.
    pub timeout_ms: Option<u64>,
    /// CEL; the step is skipped when it is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub for_each: Option<quantum_core::intent::ForEach>,
    /// fail or continue.
    #[schema(value_type = String)]
    pub on_error: quantum_core::intent::OnError,
    /// The action that undoes the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compensate: Option<String>,
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
        let component = step.action.component();
        let timeout_ms = match &step.action {
            PlannedAction::BuiltIn { timeout_ms, .. } => *timeout_ms,
            PlannedAction::Component(_) => Some(step.timeout_ms),
        };
        Self {
            id: step.id.to_string(),
            action: step.action.name().to_owned(),
            plugin: component.map(|action| action.plugin.clone()),
            plugin_version: component.map(|action| action.version.clone()),
            component: component.map(|action| action.component.to_string()),
            waits_for,
            parameters: step.parameters.clone(),
            timeout_ms,
            when: step.when.clone(),
            for_each: step.for_each.clone(),
            on_error: step.on_error,
            compensate: step.compensate.as_ref().map(|undo| undo.action.name.clone()),
            retry: step.retry.clone(),
            idempotent: component.is_some_and(|action| action.idempotent),
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
