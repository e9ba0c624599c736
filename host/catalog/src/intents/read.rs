//! Reading intents, versions, and what differs between them.

use std::sync::Arc;

use quantum_core::intent::IntentRef;
use quantum_store::{IntentFilter, IntentRecord, IntentSummary, Intents as StoredIntents, Page, PageRequest};

use super::diff::differences;
use super::write::source_of;
use super::{Difference, Intents, StoredIntent};
use crate::{Catalog, Error};

impl Intents<'_> {
    /// The version that the reference names; for a name or a uid the active one, or the latest when none is active.
    pub async fn get(&self, reference: &IntentRef) -> Result<StoredIntent, Error> {
        StoredIntent::read(self.find(reference).await?)
    }

    /// By name, without definitions.
    pub async fn list(&self, filter: &IntentFilter, page: PageRequest) -> Result<Page<IntentSummary>, Error> {
        Ok(self.stored().list(filter, page).await?)
    }

    /// Newest first, without definitions.
    pub async fn versions(
        &self,
        reference: &IntentRef,
        page: PageRequest,
    ) -> Result<Page<IntentSummary>, Error> {
        let name = self.find(reference).await?.summary.name;
        Ok(self.stored().versions(&name, page).await?)
    }

    /// From one version to another, in description, labels and definition; pointers start at the document's top.
    pub async fn diff(&self, reference: &IntentRef, from: u32, to: u32) -> Result<Vec<Difference>, Error> {
        let name = self.find(reference).await?.summary.name;
        let from = self.find(&IntentRef::Version(name.clone(), from)).await?;
        let to = self.find(&IntentRef::Version(name, to)).await?;
        Ok(differences(&source_of(&from)?, &source_of(&to)?))
    }

    /// Err: `NotFound`.
    pub(crate) async fn find(&self, reference: &IntentRef) -> Result<IntentRecord, Error> {
        let (kind, found) = match reference {
            IntentRef::Active(name) => ("intent", self.stored().by_name(name).await?),
            IntentRef::Uid(uid) => ("intent", self.stored().by_uid(uid).await?),
            IntentRef::Version(name, number) => {
                ("intent version", self.stored().version(name, *number).await?)
            }
        };
        found.ok_or_else(|| Error::not_found(kind, reference))
    }

    /// As `find`, without asking the store again as long as nothing has changed.
    pub(crate) async fn kept(&self, reference: &IntentRef) -> Result<Arc<IntentRecord>, Error> {
        let Catalog { store, records, .. } = self.catalog;
        let key = (self.scope.tenant().clone(), reference.clone());
        let change = store.change_number();
        if let Some(kept) = records.find(change, &key) {
            return Ok(kept);
        }
        let read = Arc::new(self.find(reference).await?);
        records.keep(change, key, read.clone());
        Ok(read)
    }

    pub(super) const fn stored(&self) -> StoredIntents<'_> {
        self.catalog.store.intents(self.scope)
    }
}
