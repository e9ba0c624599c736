//! Creating an intent. The same document again is the same intent.

use quantum_core::vocabulary::IntentStatus;
use quantum_store::{CreateOutcome, NewIntent};

use super::write::{Document, same_document};
use super::{Act, Creation, Intents, NewDocument, StoredIntent, version_id};
use crate::Error;

impl Intents<'_> {
    /// Version 1. Err: `Invalid`, `TooLarge`, `NameTaken`, `IdempotencyTaken`.
    pub async fn create(&self, new: NewDocument<'_>, act: Act) -> Result<Creation, Error> {
        let Document { document, findings } = self.accept(new.source).await?;
        let intent = NewIntent {
            uid: new.uid,
            name: document.name.clone(),
            status: IntentStatus::Active,
            version: Document::version(&document, &self.targets(), new.activation, &act)?,
        };
        let outcome = self.stored().create(intent, act.idempotency).await?;
        let record = match outcome {
            CreateOutcome::Created(record) => {
                return Ok(Creation::Created { intent: StoredIntent::read(record)?, findings });
            }
            CreateOutcome::Exists(record) => record,
        };
        let archived = record.summary.status == IntentStatus::Archived;
        if archived || !same_document(&record, &document)? {
            return Err(Error::NameTaken { name: document.name, id: version_id(&record.summary), archived });
        }
        Ok(Creation::Existing(StoredIntent::read(record)?))
    }
}
