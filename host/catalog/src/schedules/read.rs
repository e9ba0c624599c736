//! Reading schedules.

use quantum_core::id::{IntentUid, ScheduleName};
use quantum_core::problem::Finding;
use quantum_core::schedule::{Schedule, ScheduleDocument, ScheduleState};
use quantum_store::{Error as StoreError, Page, PageRequest, ScheduleRow};
use serde::de::DeserializeOwned;

use super::{Schedules, StoredSchedule};
use crate::Error;

impl Schedules<'_> {
    /// Err: `NotFound`.
    pub async fn get(&self, name: &str) -> Result<StoredSchedule, Error> {
        let found = self.stored().get(&named(name)?).await?;
        found.map_or_else(|| Err(Error::not_found("schedule", name)), StoredSchedule::read)
    }

    /// By name; of one intent, or of all.
    pub async fn list(
        &self,
        intent: Option<IntentUid>,
        page: PageRequest,
    ) -> Result<Page<StoredSchedule>, Error> {
        let Page { items, next } = self.stored().list(intent, page).await?;
        let items: Result<Vec<_>, _> = items.into_iter().map(StoredSchedule::read).collect();
        Ok(Page { items: items?, next })
    }
}

/// What cannot be a name names nothing.
pub(super) fn named(name: &str) -> Result<ScheduleName, Error> {
    ScheduleName::new(name).map_err(|_| Error::not_found("schedule", name))
}

impl StoredSchedule {
    pub(super) fn read(row: ScheduleRow) -> Result<Self, Error> {
        let document: ScheduleDocument = parse("the document of a schedule", &row.document)?;
        let progress = parse("the progress of a schedule", &row.progress)?;
        let schedule = Schedule::read(&document).map_err(|findings| unreadable(&findings))?;
        Ok(Self {
            uid: row.uid,
            name: row.name,
            intent_uid: row.intent_uid,
            document,
            paused: row.paused,
            revision: row.revision,
            owner: row.owner,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            state: ScheduleState { handled_until: row.handled_until, waiting: row.waiting, progress },
            schedule,
        })
    }
}

fn parse<T: DeserializeOwned>(what: &'static str, json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() }.into())
}

fn unreadable(findings: &[Finding]) -> Error {
    let detail = findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
    StoreError::Corrupt { what: "the document of a schedule", detail }.into()
}
