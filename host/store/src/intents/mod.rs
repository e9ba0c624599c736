//! Intents with their versions. Which of them may be changed, and how, is the catalog's business.

mod list;
mod read;
mod text;
mod write;

use std::collections::BTreeMap;

use quantum_core::id::{IntentName, IntentUid, PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, IntentStatus, VersionStatus};

use crate::idempotency::IdempotencyRecord;
use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use list::list_shapes;
pub(crate) use read::sql as read_sql;
pub(crate) use text::words;
pub(crate) use write::sql as write_sql;

/// An intent that does not exist yet; it becomes version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    pub uid: IntentUid,
    pub name: IntentName,
    pub status: IntentStatus,
    pub version: NewVersion,
}

/// The content of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    pub description: String,
    pub labels: BTreeMap<String, String>,
    pub environment: Environment,
    /// JSON text.
    pub definition: String,
    pub created_by: PrincipalId,
    pub at: Timestamp,
    /// A draft does not become the active version.
    pub draft: bool,
}

/// An intent beside one of its versions, without the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentSummary {
    pub tenant: TenantId,
    pub uid: IntentUid,
    pub name: IntentName,
    pub status: IntentStatus,
    /// Grows with every change of the intent, of whatever kind: what an ETag is made of.
    pub revision: u64,
    pub active_version: Option<u32>,
    pub latest_version: u32,
    /// When the intent was made, and by whom.
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
    pub updated_at: Timestamp,
    pub version: VersionSummary,
}

/// One version, without the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSummary {
    pub number: u32,
    pub status: VersionStatus,
    pub description: String,
    pub labels: BTreeMap<String, String>,
    pub environment: Environment,
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
}

/// An intent beside one of its versions, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentRecord {
    pub summary: IntentSummary,
    /// JSON text, as it was given.
    pub definition: String,
}

/// What `create` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    Created(IntentRecord),
    /// The name is taken; nothing was written, not even the idempotency record.
    Exists(IntentRecord),
}

/// Which intent is changed, on what condition, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub uid: IntentUid,
    /// `If-Match`: the revision that the change is based on.
    pub expected_revision: Option<u64>,
    pub at: Timestamp,
    pub idempotency: Option<IdempotencyRecord>,
}

/// Every given condition holds for what is listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntentFilter {
    /// Words that the name or the description contains, or words that begin with them.
    pub q: Option<String>,
    pub name_prefix: Option<String>,
    pub label: Option<(String, String)>,
    pub environment: Option<Environment>,
    pub status: Option<IntentStatus>,
}

/// The intents of one tenant.
pub struct Intents<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}
