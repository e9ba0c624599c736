//! Schedules: what is stored, what may be changed, and when one is due. The engine starts what is due; here nothing is.

mod read;
mod write;

use quantum_core::id::{IntentUid, PrincipalId, ScheduleName, ScheduleUid};
use quantum_core::port::Requester;
use quantum_core::schedule::{Schedule, ScheduleDocument, ScheduleState};
use quantum_core::time::Timestamp;
use quantum_store::{Schedules as StoredSchedules, TenantScope};

use crate::Catalog;

/// Schedules of one tenant: each is a row that the engine reads once a minute at most. Over it: 409.
const SCHEDULES_MAX: u64 = 10_000;

/// Who changes a schedule, when, and on what condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleAct {
    pub by: Requester,
    pub at: Timestamp,
    /// `If-Match`: the revision that the change is based on.
    pub if_match: Option<u64>,
}

/// A schedule that does not exist yet.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleDraft {
    pub uid: ScheduleUid,
    pub name: String,
    pub document: ScheduleDocument,
    pub paused: bool,
}

/// A schedule, and how far it is.
#[derive(Debug, Clone)]
pub struct StoredSchedule {
    pub uid: ScheduleUid,
    pub name: ScheduleName,
    pub intent_uid: IntentUid,
    pub document: ScheduleDocument,
    pub paused: bool,
    pub revision: u64,
    /// In whose name executions are started: who made it, or replaced it last.
    pub owner: Requester,
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
    pub updated_at: Timestamp,
    pub state: ScheduleState,
    schedule: Schedule,
}

/// One time at which a schedule is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTime {
    pub due_at: Timestamp,
    /// With the jitter.
    pub starts_at: Timestamp,
    /// `due_at` as the clock on the wall shows it there, with offset and zone.
    pub local: String,
}

/// The schedules of one tenant.
pub struct Schedules<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) scope: &'a TenantScope,
}

impl StoredSchedule {
    /// The due times after `after`, as many as there are up to `count`.
    pub fn times(&self, after: Timestamp, count: usize) -> Vec<DueTime> {
        let dues = std::iter::successors(self.schedule.next_due(after), |due| self.schedule.next_due(*due));
        dues.take(count).map(|due| self.due_time(due)).collect()
    }

    /// None: it is paused, or never due any more.
    pub fn next(&self) -> Option<DueTime> {
        let due = self.schedule.next_due(self.state.handled_until).filter(|_| !self.paused)?;
        Some(self.due_time(due))
    }

    fn due_time(&self, due: Timestamp) -> DueTime {
        let local = self.schedule.local(due);
        DueTime { due_at: due, starts_at: self.schedule.starts(self.uid, due), local }
    }
}

impl Schedules<'_> {
    const fn stored(&self) -> StoredSchedules<'_> {
        self.catalog.store.schedules(self.scope)
    }
}
