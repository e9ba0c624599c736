//! Intents and their versions: what is stored, what may be changed, and what a change makes.

mod change;
mod create;
mod diff;
mod merge;
mod read;
mod write;

use quantum_core::id::{IntentUid, PrincipalId};
use quantum_core::intent::{CheckContext, Checked, check_document_with};
use quantum_core::problem::Finding;
use quantum_core::tenant::Targets;
use quantum_core::time::Timestamp;
use quantum_store::{Error as StoreError, IdempotencyRecord, IntentRecord, IntentSummary, TenantScope};
use serde_json::Value;

use crate::{Catalog, Error};

pub use diff::{DiffOp, Difference};
pub(crate) use merge::merge;

/// Who changes something, when, on what condition, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub by: PrincipalId,
    pub at: Timestamp,
    /// `If-Match`: the revision that the change is based on. Not looked at when an intent is created.
    pub if_match: Option<u64>,
    /// Stored with the change; not stored when there is nothing to change.
    pub idempotency: Option<IdempotencyRecord>,
}

/// A document for an intent that does not exist yet.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    pub source: &'a Value,
    pub uid: IntentUid,
    pub activation: Activation,
}

/// Whether a new version becomes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Now,
    Draft,
}

/// An intent beside one of its versions, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredIntent {
    /// `name-vN`.
    pub id: String,
    pub summary: IntentSummary,
    pub definition: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// With what was found and does not stand in the way.
    Created { intent: StoredIntent, findings: Vec<Finding> },
    /// The identical document was stored before; nothing was written.
    Existing(StoredIntent),
}

/// The version that a document stands in now.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub intent: StoredIntent,
    /// What was found and does not stand in the way.
    pub findings: Vec<Finding>,
    /// False: the document is that of the version before, so there is no new one.
    pub changed: bool,
}

/// The intents of one tenant.
pub struct Intents<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) scope: &'a TenantScope,
}

/// `name-vN`, as clients name a version.
pub fn version_id(summary: &IntentSummary) -> String {
    format!("{}-v{}", summary.name, summary.version.number)
}

impl StoredIntent {
    fn read(record: IntentRecord) -> Result<Self, Error> {
        let definition = parse_definition(&record)?;
        Ok(Self { id: version_id(&record.summary), summary: record.summary, definition })
    }
}

impl Intents<'_> {
    /// The tenant's own names of places.
    fn targets(&self) -> Targets {
        self.catalog.settings(self.scope).targets()
    }

    /// Everything that is wrong with a document; nothing is written.
    pub async fn validate(&self, source: &Value) -> Result<Checked, Error> {
        self.catalog.settle(self.scope).await?;
        let actions = self.catalog.directory.snapshot();
        let context = CheckContext { tenant: self.scope.tenant(), actions: &actions };
        let mut checked = check_document_with(source, &context, &self.targets());
        if let Some(document) =
            checked.document.as_ref().filter(|document| document.definition.steps.is_empty())
        {
            let misfits = self.catalog.blueprints(self.scope).misfits(document).await?;
            checked.findings.extend(misfits);
        }
        Ok(checked)
    }
}

/// The definition as it was given.
pub(crate) fn parse_definition(record: &IntentRecord) -> Result<Value, Error> {
    let read = serde_json::from_str(&record.definition);
    read.map_err(|error| {
        StoreError::Corrupt { what: "the definition of an intent", detail: error.to_string() }.into()
    })
}
