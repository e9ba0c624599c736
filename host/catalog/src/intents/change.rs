//! Changes of an intent that exists: read it, decide what the change means, write it if it is still the same.

use quantum_core::intent::IntentRef;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{IntentStatus, VersionStatus};
use quantum_store::{Change, IntentRecord, IntentSummary, NewVersion};
use serde_json::Value;

use super::merge::merge;
use super::write::{Document, same_document, source_of};
use super::{Act, Activation, Intents, StoredIntent, Written};
use crate::Error;

/// Times that a change without `If-Match` is decided anew because another came first. At it: `Busy`.
const TRIES_MAX: usize = 5;

/// What a caller asks for.
enum Wish<'a> {
    Replace(&'a Value, Activation),
    Patch(&'a Value, Activation),
    Rollback(u32),
    Activate(u32),
    Status(IntentStatus),
}

/// What it comes to, as the intent is now.
enum Step {
    /// It is so already.
    Keep(IntentRecord, Vec<Finding>),
    Version(NewVersion, Vec<Finding>),
    Activate(u32),
    Status(IntentStatus),
}

impl Intents<'_> {
    /// PUT: the whole document. Err: `Invalid`, `TooLarge`, `Renamed`, `NotFound`, `Archived`, `RevisionConflict`.
    pub async fn replace(
        &self,
        reference: &IntentRef,
        source: &Value,
        activation: Activation,
        act: Act,
    ) -> Result<Written, Error> {
        self.change(reference, &Wish::Replace(source, activation), act).await
    }

    /// PATCH (RFC 7396) on `description`, `labels` and `definition` of the version that the reference names. Err: as
    /// `replace`.
    pub async fn merge_patch(
        &self,
        reference: &IntentRef,
        patch: &Value,
        activation: Activation,
        act: Act,
    ) -> Result<Written, Error> {
        self.change(reference, &Wish::Patch(patch, activation), act).await
    }

    /// A new version with the document of an older one, checked as if it were posted now. Err: as `replace`.
    pub async fn rollback(&self, reference: &IntentRef, to: u32, act: Act) -> Result<Written, Error> {
        self.change(reference, &Wish::Rollback(to), act).await
    }

    /// Makes a version the active one. Err: `NotFound`, `Archived`, `RevisionConflict`.
    pub async fn activate(
        &self,
        reference: &IntentRef,
        number: u32,
        act: Act,
    ) -> Result<StoredIntent, Error> {
        Ok(self.change(reference, &Wish::Activate(number), act).await?.intent)
    }

    /// No new executions. Err: `NotFound`, `Archived`, `RevisionConflict`.
    pub async fn pause(&self, reference: &IntentRef, act: Act) -> Result<StoredIntent, Error> {
        Ok(self.change(reference, &Wish::Status(IntentStatus::Paused), act).await?.intent)
    }

    /// Err: as `pause`.
    pub async fn resume(&self, reference: &IntentRef, act: Act) -> Result<StoredIntent, Error> {
        Ok(self.change(reference, &Wish::Status(IntentStatus::Active), act).await?.intent)
    }

    /// Read-only from now on. Err: `NotFound`, `RevisionConflict`.
    pub async fn archive(&self, reference: &IntentRef, act: Act) -> Result<StoredIntent, Error> {
        Ok(self.change(reference, &Wish::Status(IntentStatus::Archived), act).await?.intent)
    }

    /// What is written depends on what was read, so it is only written at the revision that was read.
    async fn change(&self, reference: &IntentRef, wish: &Wish<'_>, act: Act) -> Result<Written, Error> {
        for _ in 0..TRIES_MAX {
            let record = self.find(reference).await?;
            expect_revision(&record.summary, &act)?;
            let summary = record.summary.clone();
            let step = self.decide(record, wish, &act).await?;
            match self.write(&summary, step, &act).await {
                Err(Error::RevisionConflict { .. }) if act.if_match.is_none() => {}
                done => return done,
            }
        }
        Err(Error::Busy { name: reference.to_string() })
    }

    async fn decide(&self, record: IntentRecord, wish: &Wish<'_>, act: &Act) -> Result<Step, Error> {
        let status = record.summary.status;
        if status == IntentStatus::Archived && !matches!(wish, Wish::Status(IntentStatus::Archived)) {
            return Err(Error::Archived { name: record.summary.name });
        }
        match wish {
            Wish::Replace(source, activation) => self.next_version(&record, source, *activation, act).await,
            Wish::Patch(patch, activation) => {
                let source = merge(source_of(&record)?, patch);
                self.next_version(&record, &source, *activation, act).await
            }
            Wish::Rollback(number) => {
                let older = self.version_of(&record, *number).await?;
                self.next_version(&record, &source_of(&older)?, Activation::Now, act).await
            }
            Wish::Activate(number) => {
                let version = self.version_of(&record, *number).await?;
                let active = version.summary.version.status == VersionStatus::Active;
                Ok(if active { Step::Keep(version, Vec::new()) } else { Step::Activate(*number) })
            }
            Wish::Status(wanted) if *wanted == status => Ok(Step::Keep(record, Vec::new())),
            Wish::Status(wanted) => Ok(Step::Status(*wanted)),
        }
    }

    async fn next_version(
        &self,
        record: &IntentRecord,
        source: &Value,
        activation: Activation,
        act: &Act,
    ) -> Result<Step, Error> {
        let Document { document, findings } = self.accept_as(&record.summary.name, source).await?;
        let compared = match activation {
            Activation::Now => record.summary.active_version,
            Activation::Draft => Some(record.summary.latest_version),
        };
        if let Some(number) = compared {
            let current = self.version_of(record, number).await?;
            if same_document(&current, &document)? {
                return Ok(Step::Keep(current, findings));
            }
        }
        Ok(Step::Version(Document::version(&document, &self.targets(), activation, act)?, findings))
    }

    async fn version_of(&self, record: &IntentRecord, number: u32) -> Result<IntentRecord, Error> {
        if record.summary.version.number == number {
            return Ok(record.clone());
        }
        self.find(&IntentRef::Version(record.summary.name.clone(), number)).await
    }

    async fn write(&self, summary: &IntentSummary, step: Step, act: &Act) -> Result<Written, Error> {
        let change = Change {
            uid: summary.uid,
            expected_revision: Some(summary.revision),
            at: act.at,
            idempotency: act.idempotency.clone(),
        };
        let (written, findings) = match step {
            Step::Keep(record, findings) => {
                return Ok(Written { intent: StoredIntent::read(record)?, findings, changed: false });
            }
            Step::Version(version, findings) => (self.add_version(change, version).await?, findings),
            Step::Activate(number) => (self.stored().activate(change, number).await?, Vec::new()),
            Step::Status(status) => (self.stored().set_status(change, status).await?, Vec::new()),
        };
        Ok(Written { intent: StoredIntent::read(written)?, findings, changed: true })
    }

    /// Gives the new version; the store shows the active one, which a draft is not.
    async fn add_version(&self, change: Change, version: NewVersion) -> Result<IntentRecord, Error> {
        let record = self.stored().new_version(change, version).await?;
        let made = record.summary.latest_version;
        self.version_of(&record, made).await
    }
}

fn expect_revision(summary: &IntentSummary, act: &Act) -> Result<(), Error> {
    match act.if_match {
        Some(expected) if expected != summary.revision => {
            Err(Error::RevisionConflict { current: summary.revision })
        }
        _ => Ok(()),
    }
}
