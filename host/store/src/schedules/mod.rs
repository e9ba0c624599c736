//! Schedules: their documents, which people change, and how far each one is, which the engine writes.

mod read;
mod write;

use quantum_core::id::{IntentUid, PrincipalId, ScheduleName, ScheduleUid, TenantId};
use quantum_core::port::Requester;
use quantum_core::time::Timestamp;

use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use read::{columns, decode, read_sql};
pub(crate) use write::write_sql;

/// A schedule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    pub tenant: TenantId,
    pub uid: ScheduleUid,
    pub name: ScheduleName,
    pub intent_uid: IntentUid,
    /// JSON text: `ScheduleDocument`.
    pub document: String,
    pub paused: bool,
    /// From 1; grows with what people change.
    pub revision: u64,
    /// In whose name executions are started.
    pub owner: Requester,
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
    pub updated_at: Timestamp,
    pub handled_until: Timestamp,
    pub waiting: Option<Timestamp>,
    /// When the engine looks at it next. None: it is paused, or nothing is due any more.
    pub next_at: Option<Timestamp>,
    /// JSON text: `Progress`.
    pub progress: String,
}

/// A schedule that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    pub uid: ScheduleUid,
    pub name: ScheduleName,
    pub content: ScheduleContent,
    pub paused: bool,
    pub at: Timestamp,
}

/// What a person writes, and in whose name it runs from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleContent {
    pub intent_uid: IntentUid,
    /// JSON text.
    pub document: String,
    pub owner: Requester,
    /// When the engine is to look at it first.
    pub next_at: Timestamp,
}

/// A change by a person. What was due before `at` counts no more, and nothing waits after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleChange {
    pub name: ScheduleName,
    /// None: whatever is there.
    pub expected_revision: Option<u64>,
    pub at: Timestamp,
    pub to: ScheduleTarget,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleTarget {
    Content(ScheduleContent),
    Paused,
    Resumed { next_at: Option<Timestamp> },
}

/// How far the engine is with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleMark {
    pub uid: ScheduleUid,
    /// Of the document that `next_at` follows from; after a change it says nothing and is left out.
    pub revision: u64,
    /// Kept when what is stored is later.
    pub handled_until: Timestamp,
    pub waiting: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    /// JSON text.
    pub progress: String,
}

/// Orders schedules across tenants by when they are looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleKey {
    /// None: any time, also never.
    pub next_at: Option<Timestamp>,
    pub tenant: TenantId,
    pub uid: ScheduleUid,
}

/// The schedules of one tenant.
pub struct Schedules<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}
