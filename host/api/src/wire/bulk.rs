//! One operation on many executions.

use std::collections::BTreeMap;

use quantum_core::id::{IntentName, IntentUid};
use quantum_core::problem::Finding;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus, Operation};
use quantum_store::ExecutionFilter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes;
use crate::problem::Problem;

/// What is done to every execution that a filter meets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "operation": "cancel", "filter": { "intent": "deploy-web-app", "created_before": "2026-01-01T12:00:00Z" },
    "dry_run": true
}))]
pub(crate) struct BulkRequest {
    pub operation: BulkOperation,
    /// Every given condition holds for what is changed. `{}`: everything that the operation can be done to.
    pub filter: BulkFilter,
    /// Count, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// For people; part of the event logs.
    pub reason: Option<String>,
    /// Executions that are looked at, 1 to 10 000; 10 000 when not given.
    pub limit: Option<u32>,
    /// next_page_token of the request before.
    pub page_token: Option<String>,
}

/// What can be done to many executions at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkOperation {
    /// As `POST /executions/{id}/cancel`, of executions that have not ended.
    Cancel,
}

#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BulkFilter {
    /// Name or uid of the intent.
    #[schema(example = "deploy-web-app")]
    pub intent: Option<String>,
    /// queued, running, …
    pub status: Option<String>,
    /// key=value.
    #[schema(example = "team=web")]
    pub label: Option<String>,
    /// At this time, or before: exclusive.
    #[schema(format = DateTime)]
    pub created_before: Option<String>,
    /// At this time, or later: inclusive.
    #[schema(format = DateTime)]
    pub created_after: Option<String>,
}

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bulk)]
pub(crate) struct BulkBody {
    pub operation: BulkOperation,
    pub dry_run: bool,
    /// Executions that the filter meets and the caller may view.
    pub matched: usize,
    /// Of these, those that it was done to; in a dry run, those that it would be.
    pub done: usize,
    pub refused: usize,
    /// Why, by the code of the problem that a request for one of them would have had.
    pub refusals: BTreeMap<String, usize>,
    /// The first hundred of those that it was done to, newest first.
    pub execution_ids: Vec<String>,
    /// There may be more: repeat the request with next_page_token.
    pub more: bool,
    pub next_page_token: Option<String>,
}

impl BulkOperation {
    /// What the caller must be allowed, for each execution.
    pub const fn decided_as(self) -> Operation {
        match self {
            Self::Cancel => Operation::ExecutionCancel,
        }
    }
}

impl BulkFilter {
    /// Of the executions that have not ended.
    pub fn open(&self) -> Result<ExecutionFilter, Problem> {
        let intent_uid = self.intent.as_deref().and_then(|text| IntentUid::parse(text).ok());
        let name = self.intent.as_deref().filter(|_| intent_uid.is_none());
        let accepted = "the name or the uid of an intent";
        let intent_name = read("intent", name, accepted, |text| IntentName::new(text).ok())?;
        let words = "queued, running, succeeded, failed or cancelled";
        let time = "a time such as 2027-01-01T00:00:00Z";
        Ok(ExecutionFilter {
            intent_uid,
            intent_name,
            status: read("status", self.status.as_deref(), words, ExecutionStatus::parse)?,
            label: read("label", self.label.as_deref(), "key=value", crate::routes::read_label)?,
            open_only: true,
            created_before: read("created_before", self.created_before.as_deref(), time, Timestamp::parse)?,
            created_after: read("created_after", self.created_after.as_deref(), time, Timestamp::parse)?,
        })
    }
}

fn read<T>(
    name: &str,
    text: Option<&str>,
    accepted: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    parse(text).map(Some).ok_or_else(|| {
        let message = format!("\"{name}\" is {accepted}");
        let finding = Finding::error(format!("/filter/{name}"), codes::INVALID_BODY.code, message.clone());
        Problem::new(&codes::INVALID_BODY).detail(message).finding(finding)
    })
}
