//! The shapes on the wire, in both directions. They are not the rooms' own types, so that a change inside does not
//! change the contract by accident.

mod artifact;
mod batch;
mod blueprint;
mod bulk;
mod event;
mod execution;
mod intent;
mod node;
mod plan;
mod plugin;
mod problem;
mod schedule;
mod secret;
mod settings;
mod tenant;
mod usage;

pub(crate) use artifact::{ArtifactBody, ArtifactPage};
pub(crate) use batch::{BatchBody, BatchItemBody, BatchRequest, BatchStart};
pub(crate) use blueprint::{BlueprintBody, BlueprintDocumentBody, BlueprintPage, BlueprintSummaryBody};
pub(crate) use bulk::{BulkBody, BulkOperation, BulkRequest};
pub(crate) use event::{EventPage, LogPage, log_event, wire_event};
pub(crate) use execution::{
    ApproveRequest, ExecuteRequest, ExecutionBody, ExecutionPage, ExecutionSummaryBody, ReasonRequest,
    ReplayBody, StartedBody, StepDetailBody,
};
pub(crate) use intent::{
    DiffBody, DocumentBody, IntentBody, IntentPage, IntentSummaryBody, RollbackRequest, ValidationBody,
};
pub(crate) use node::NodeList;
pub(crate) use plan::{PlanBlueprint, PlanBody, PlanStepBody};
pub(crate) use plugin::{
    ConfigureBody, InstallationBody, InstallationList, InstalledBody, PluginBody, PluginList,
};
pub(crate) use problem::{FindingBody, ProblemBody};
pub(crate) use schedule::{DueTimeList, ScheduleBody, SchedulePage, ScheduleRequest};
pub(crate) use secret::{SecretBody, SecretPage, SecretRequest};
pub(crate) use settings::SettingsBody;
pub(crate) use tenant::{MemberBody, MemberRequest, TenantBody, TenantList, TenantRequest, UserList};
pub(crate) use usage::{UsageBody, UsagePage};

/// What a `From` for a list of findings would be.
pub(crate) fn findings(findings: &[quantum_core::problem::Finding]) -> Vec<FindingBody> {
    findings.iter().map(Into::into).collect()
}
