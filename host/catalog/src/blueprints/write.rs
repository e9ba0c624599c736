//! Changing and removing a blueprint. What is written depends on what was read, so it is only written at the revision
//! that was read.

use quantum_core::blueprint::check_blueprint;
use quantum_core::id::IntentName;
use quantum_core::intent::CheckContext;
use quantum_core::limits::DOCUMENT_BYTES_MAX;
use quantum_core::problem::Finding;
use quantum_store::{BlueprintChange, Error as StoreError};
use serde_json::Value;

use super::{
    BlueprintAct, BlueprintOutcome, Blueprints, Condition, StoredBlueprint, WrittenBlueprint, not_found,
    parse,
};
use crate::Error;

/// Times that a change without an ETag is decided anew because another came first. At it: `Busy`.
const TRIES_MAX: usize = 5;

/// What is there now.
struct Present {
    /// Of the newest row, which may be a removal; 0: there never was one.
    revision: u64,
    blueprint: Option<StoredBlueprint>,
}

impl Blueprints<'_> {
    /// PUT: the whole document. Err: `Invalid`, `TooLarge`, `ConditionNeeded`, `RevisionConflict`, `Busy`.
    pub async fn put(
        &self,
        name: &IntentName,
        source: &Value,
        act: BlueprintAct,
    ) -> Result<WrittenBlueprint, Error> {
        let (document, description, findings) = self.accept(name, source).await?;
        let text = document.to_string();
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::TooLarge { bytes: text.len() });
        }
        for _ in 0..TRIES_MAX {
            let present = self.present(name).await?;
            let same = present.blueprint.as_ref().is_some_and(|blueprint| blueprint.document == document);
            expect(name, &present, act.condition, same)?;
            if let Some(blueprint) = present.blueprint.clone().filter(|_| same) {
                return Ok(WrittenBlueprint { blueprint, findings, outcome: BlueprintOutcome::Unchanged });
            }
            let change = BlueprintChange {
                name: name.clone(),
                based_on: present.revision,
                description: description.clone(),
                document: Some(text.clone()),
                by: act.by.clone(),
                at: act.at,
            };
            match self.stored().write(change).await {
                Ok(summary) => {
                    let new = present.blueprint.is_none();
                    let outcome = if new { BlueprintOutcome::Created } else { BlueprintOutcome::Changed };
                    let blueprint = StoredBlueprint { summary, document };
                    return Ok(WrittenBlueprint { blueprint, findings, outcome });
                }
                Err(StoreError::VersionConflict { .. })
                    if !matches!(act.condition, Condition::Revision(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::Busy { name: name.to_string() })
    }

    /// Intents of its name that have no steps do not run any more; executions that have begun go on. Err: `NotFound`,
    /// `RevisionConflict`.
    pub async fn remove(&self, name: &IntentName, act: BlueprintAct) -> Result<(), Error> {
        let present = self.present(name).await?;
        if present.blueprint.is_none() {
            return Err(not_found(name));
        }
        expect(name, &present, act.condition, false)?;
        let change = BlueprintChange {
            name: name.clone(),
            based_on: present.revision,
            description: String::new(),
            document: None,
            by: act.by,
            at: act.at,
        };
        self.stored().write(change).await?;
        Ok(())
    }

    /// What is stored: the document without its name, which the path says, and its description.
    async fn accept(
        &self,
        name: &IntentName,
        source: &Value,
    ) -> Result<(Value, String, Vec<Finding>), Error> {
        self.catalog.settle(self.scope).await?;
        let actions = self.catalog.directory.snapshot();
        let context = CheckContext { tenant: self.scope.tenant(), actions: &actions };
        let checked = check_blueprint(name, source, &context);
        let Some(blueprint) = checked.blueprint else {
            return Err(Error::Invalid { findings: checked.findings });
        };
        let mut document = source.clone();
        if let Some(fields) = document.as_object_mut() {
            fields.shift_remove("name");
        }
        Ok((document, blueprint.description, checked.findings))
    }

    async fn present(&self, name: &IntentName) -> Result<Present, Error> {
        let newest = self.stored().newest(name).await?;
        let revision = newest.as_ref().map_or(0, |record| record.summary.revision);
        Ok(Present { revision, blueprint: newest.map(parse).transpose()?.flatten() })
    }
}

/// `same`: what is asked for is there already, so nothing can be overwritten unseen.
fn expect(name: &IntentName, present: &Present, condition: Condition, same: bool) -> Result<(), Error> {
    let there = present.blueprint.as_ref().map(|blueprint| blueprint.summary.revision);
    match (condition, there) {
        (Condition::Unsaid, Some(_)) if !same => Err(Error::ConditionNeeded { name: name.clone() }),
        (Condition::Any, None) => Err(Error::RevisionConflict { current: present.revision }),
        (Condition::Revision(expected), there) if there != Some(expected) => {
            Err(Error::RevisionConflict { current: present.revision })
        }
        _ => Ok(()),
    }
}
