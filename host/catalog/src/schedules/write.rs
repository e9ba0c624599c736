//! Changing schedules.

use quantum_core::id::ScheduleName;
use quantum_core::intent::IntentRef;
use quantum_core::problem::Finding;
use quantum_core::schedule::{Schedule, ScheduleDocument};
use quantum_core::vocabulary::IntentStatus;
use quantum_store::{
    Error as StoreError, IntentSummary, NewSchedule, ScheduleChange, ScheduleContent, ScheduleTarget,
};
use serde_json::Value;

use super::read::named;
use super::{SCHEDULES_MAX, ScheduleAct, ScheduleDraft, Schedules, StoredSchedule};
use crate::Error;
use crate::plans::Purpose;

impl Schedules<'_> {
    /// Err: `InvalidSchedule`, `ScheduleExists`, `NotFound` (the intent), `Archived`, `Quota`.
    pub async fn create(&self, draft: ScheduleDraft, act: ScheduleAct) -> Result<StoredSchedule, Error> {
        let ScheduleDraft { uid, name, document, paused } = draft;
        let checked = ScheduleName::new(&name).map_err(|error| {
            Finding::error("/name", "schedule-name", error.to_string()).hint("\"nightly-backup\"")
        });
        let content = self.content(&document, &act).await;
        let (name, content) = both(checked, content)?;
        let new = NewSchedule { uid, name: name.clone(), content, paused, at: act.at };
        let row = self.stored().create(new, SCHEDULES_MAX).await.map_err(|error| match error {
            StoreError::AlreadyExists { .. } => Error::ScheduleExists { name },
            other => other.into(),
        })?;
        StoredSchedule::read(row)
    }

    /// The schedule is the caller's from then on, and nothing that was due before counts any more. Err: as `create`,
    /// and `RevisionConflict`.
    pub async fn replace(
        &self,
        name: &str,
        document: &ScheduleDocument,
        act: ScheduleAct,
    ) -> Result<StoredSchedule, Error> {
        let name = named(name)?;
        let content = self.content(document, &act).await?;
        self.change(name, act, ScheduleTarget::Content(content)).await
    }

    /// Nothing is due until it is resumed. What waits does so no more; what runs goes on.
    pub async fn pause(&self, name: &str, act: ScheduleAct) -> Result<StoredSchedule, Error> {
        self.change(named(name)?, act, ScheduleTarget::Paused).await
    }

    /// What was due while it was paused is not made up.
    pub async fn resume(&self, name: &str, act: ScheduleAct) -> Result<StoredSchedule, Error> {
        let next_at = self.get(name).await?.times(act.at, 1).first().map(|due| due.starts_at);
        self.change(named(name)?, act, ScheduleTarget::Resumed { next_at }).await
    }

    /// Its executions stay. Err: `NotFound`, `RevisionConflict`.
    pub async fn remove(&self, name: &str, if_match: Option<u64>) -> Result<(), Error> {
        Ok(self.stored().remove(named(name)?, if_match).await?)
    }

    async fn change(
        &self,
        name: ScheduleName,
        act: ScheduleAct,
        to: ScheduleTarget,
    ) -> Result<StoredSchedule, Error> {
        let change = ScheduleChange { name, expected_revision: act.if_match, at: act.at, to };
        StoredSchedule::read(self.stored().change(change).await?)
    }

    /// Checks everything that can be known before a due time.
    async fn content(
        &self,
        document: &ScheduleDocument,
        act: &ScheduleAct,
    ) -> Result<ScheduleContent, Error> {
        let invalid = |findings| Error::InvalidSchedule { findings };
        let schedule = Schedule::read(document).map_err(invalid)?;
        let first = schedule.check_future(act.at).map_err(|finding| invalid(vec![*finding]))?;
        let reference =
            IntentRef::parse(&document.intent).map_err(|_| Error::not_found("intent", &document.intent))?;
        let intent = self.startable(&reference).await?;
        let findings = self.input_findings(&reference, document).await?;
        if !findings.is_empty() {
            return Err(invalid(findings));
        }
        let stored = ScheduleDocument { time_zone: schedule.time_zone().to_owned(), ..document.clone() };
        let json = serde_json::to_string(&stored);
        let document = json.map_err(|error| StoreError::Corrupt {
            what: "the document of a schedule",
            detail: error.to_string(),
        })?;
        // The jitter can only make it later, and the engine looks again.
        Ok(ScheduleContent { intent_uid: intent.uid, document, owner: act.by.clone(), next_at: first })
    }

    async fn startable(&self, reference: &IntentRef) -> Result<IntentSummary, Error> {
        let summary = self.catalog.intents(self.scope).get(reference).await?.summary;
        if summary.status == IntentStatus::Archived {
            return Err(Error::Archived { name: summary.name });
        }
        Ok(summary)
    }

    /// Against the schema of the version that is active now. An intent that cannot be planned now may be mended before
    /// it is due.
    async fn input_findings(
        &self,
        reference: &IntentRef,
        document: &ScheduleDocument,
    ) -> Result<Vec<Finding>, Error> {
        match self.catalog.intents(self.scope).plan(reference, Purpose::Preview).await {
            Ok(plan) => Ok(plan.plan.check_input(&Value::Object(document.input.clone()))),
            Err(error @ Error::Store(_)) => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    }
}

/// The name and the rest, or what is wrong with both.
fn both(
    name: Result<ScheduleName, Finding>,
    content: Result<ScheduleContent, Error>,
) -> Result<(ScheduleName, ScheduleContent), Error> {
    match (name, content) {
        (Ok(name), Ok(content)) => Ok((name, content)),
        (Ok(_), Err(error)) => Err(error),
        (Err(finding), Err(Error::InvalidSchedule { mut findings })) => {
            findings.insert(0, finding);
            Err(Error::InvalidSchedule { findings })
        }
        (Err(finding), _) => Err(Error::InvalidSchedule { findings: vec![finding] }),
    }
}
