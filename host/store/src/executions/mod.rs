//! Executions as they are read: the row, and the journal that their state is rebuilt from.

mod claim;
mod list;
mod places;
mod purge;
mod read;
mod turn;

use std::collections::BTreeMap;

use quantum_core::id::{ExecutionId, IntentName, IntentUid, TenantId};
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, ExecutionStatus};

use crate::journal::{EncodedEvent, SharedPlan};
use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use claim::sql as claim_sql;
pub(crate) use list::list_shapes;
pub(crate) use places::sql as place_sql;
pub use purge::EndKey;
pub(crate) use purge::sql as purge_sql;
pub(crate) use read::{decode_row, row_columns, sql, unpack};
pub use turn::Turn;
pub(crate) use turn::Turns;

/// Orders executions across tenants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExecutionKey {
    pub tenant: TenantId,
    pub execution: ExecutionId,
}

/// An execution without its plan, input and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRow {
    pub tenant: TenantId,
    pub id: ExecutionId,
    pub intent_uid: IntentUid,
    pub intent_name: IntentName,
    pub intent_version: u32,
    pub status: ExecutionStatus,
    /// `seq` of the last event.
    pub version: u64,
    pub owner: Option<String>,
    pub epoch: u64,
    pub lease_until: Option<Timestamp>,
    pub next_due: Option<Timestamp>,
    pub environment: Environment,
    pub dry_run: bool,
    pub requested_by: Requester,
    pub labels: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub steps_total: u32,
    pub steps_done: u32,
    /// JSON text; only the engine knows what it says.
    pub summary: String,
    /// JSON text: the execution that it comes from.
    pub origin: Option<String>,
    pub priority: i32,
    pub concurrency_key: Option<String>,
}

/// An execution with everything that its state is rebuilt from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredExecution {
    pub row: ExecutionRow,
    /// Shared by the executions of the same plan: compare digests before parsing.
    pub plan: SharedPlan,
    /// JSON text.
    pub input: String,
    /// From seq 1 to `row.version`, without gaps.
    pub events: Vec<EncodedEvent>,
}

/// Every given condition holds for what is listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecutionFilter {
    pub intent_uid: Option<IntentUid>,
    pub intent_name: Option<IntentName>,
    pub status: Option<ExecutionStatus>,
    pub label: Option<(String, String)>,
    /// Only those that have not ended.
    pub open_only: bool,
    /// Exclusive.
    pub created_before: Option<Timestamp>,
    /// Inclusive.
    pub created_after: Option<Timestamp>,
}

/// The executions of one tenant.
pub struct Executions<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}
