//! Blueprints: what is stored, what may be changed, and what intents of their name are made of.

mod read;
mod write;

use std::sync::Arc;

use quantum_core::blueprint::Blueprint;
use quantum_core::id::{IntentName, PrincipalId, TenantId};
use quantum_core::problem::Finding;
use quantum_core::time::Timestamp;
use quantum_store::{
    BlueprintRecord, BlueprintSummary, Blueprints as StoredBlueprints, Error as StoreError, TenantScope,
};
use serde_json::Value;

use crate::kept::Kept;
use crate::{Catalog, Error};

/// One revision, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBlueprint {
    pub summary: BlueprintSummary,
    /// As it was given, without its name.
    pub document: Value,
}

/// Who changes a blueprint, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlueprintAct {
    pub by: PrincipalId,
    pub at: Timestamp,
    pub condition: Condition,
}

/// `If-Match`: what a change is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is said, which is enough where there is nothing to overwrite.
    Unsaid,
    /// `*`: there is one.
    Any,
    Revision(u64),
}

/// The revision that a document stands in now.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenBlueprint {
    pub blueprint: StoredBlueprint,
    /// What was found and does not stand in the way.
    pub findings: Vec<Finding>,
    pub outcome: BlueprintOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlueprintOutcome {
    /// There was none of this name.
    Created,
    Changed,
    /// The document is that of the revision before, so there is no new one.
    Unchanged,
}

/// A blueprint ready to give steps.
#[derive(Debug)]
pub(crate) struct Template {
    pub revision: u64,
    pub blueprint: Blueprint,
}

/// By tenant and name; none: there is no blueprint of this name.
pub(crate) type Templates = Kept<(TenantId, IntentName), Option<Arc<Template>>>;

/// The blueprints of one tenant.
pub struct Blueprints<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) scope: &'a TenantScope,
}

impl Blueprints<'_> {
    const fn stored(&self) -> StoredBlueprints<'_> {
        self.catalog.store.blueprints(self.scope)
    }
}

fn not_found(name: &IntentName) -> Error {
    Error::not_found("blueprint", name)
}

/// None: the revision is a removal.
fn parse(record: BlueprintRecord) -> Result<Option<StoredBlueprint>, Error> {
    let Some(text) = record.document else { return Ok(None) };
    let document = serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
    Ok(Some(StoredBlueprint { summary: record.summary, document }))
}

fn corrupt(detail: String) -> Error {
    StoreError::Corrupt { what: "a blueprint", detail }.into()
}
