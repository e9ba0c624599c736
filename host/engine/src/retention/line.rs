//! An execution as a line of the archive. Its keys are those of `GET /executions/{id}`, so that whoever knows the API
//! can read it; events are as they were stored, so that nothing is lost.

use std::collections::BTreeMap;

use quantum_core::id::{Digest, ExecutionId, IntentUid, TenantId};
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, ExecutionStatus};
use quantum_store::StoredExecution;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;

/// Changes when a reader of lines has to do something else. A new key is no such change.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    format: u32,
    execution_id: ExecutionId,
    tenant_id: &'a TenantId,
    /// `name-vN`.
    intent: String,
    intent_uid: IntentUid,
    /// Executions with the same one ran the same steps on the same components.
    plan: &'a Digest,
    environment: Environment,
    status: ExecutionStatus,
    dry_run: bool,
    priority: i32,
    origin: Option<&'a RawValue>,
    labels: &'a BTreeMap<String, String>,
    requested_by: &'a Requester,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    last_seq: u64,
    input: &'a RawValue,
    error: Option<Box<RawValue>>,
    events: Vec<&'a RawValue>,
}

/// What the engine writes into the row of an execution.
#[derive(Deserialize)]
struct Summary {
    error: Option<Box<RawValue>>,
}

/// One line without a break in it: stored JSON is written without any.
pub(super) fn line(stored: &StoredExecution) -> Result<String, Error> {
    let row = &stored.row;
    let failed = |what| move |source| Error::Decode { id: row.id.to_string(), what, source };
    let summary: Summary = serde_json::from_str(&row.summary).map_err(failed("the summary"))?;
    let events: Result<Vec<&RawValue>, _> =
        stored.events.iter().map(|event| serde_json::from_str(&event.json)).collect();
    let line = Line {
        format: FORMAT,
        execution_id: row.id,
        tenant_id: &row.tenant,
        intent: format!("{}-v{}", row.intent_name, row.intent_version),
        intent_uid: row.intent_uid,
        plan: stored.plan.digest(),
        environment: row.environment,
        status: row.status,
        dry_run: row.dry_run,
        priority: row.priority,
        origin: row.origin.as_deref().map(serde_json::from_str).transpose().map_err(failed("the origin"))?,
        labels: &row.labels,
        requested_by: &row.requested_by,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        last_seq: row.version,
        input: serde_json::from_str(&stored.input).map_err(failed("the input"))?,
        error: summary.error,
        events: events.map_err(failed("an event"))?,
    };
    serde_json::to_string(&line).map_err(failed("the line"))
}
