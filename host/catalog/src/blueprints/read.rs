//! Reading blueprints, and having them at hand for plans.

use std::sync::Arc;

use quantum_core::blueprint::Blueprint;
use quantum_core::id::IntentName;
use quantum_core::intent::IntentDocument;
use quantum_core::problem::{Finding, Severity};
use quantum_store::{BlueprintSummary, Page, PageRequest};

use super::{Blueprints, StoredBlueprint, Template, corrupt, not_found, parse};
use crate::{Catalog, Error};

impl Blueprints<'_> {
    /// The newest revision. Err: `NotFound`, also when it was removed.
    pub async fn get(&self, name: &IntentName) -> Result<StoredBlueprint, Error> {
        let found = self.stored().newest(name).await?.map(parse).transpose()?.flatten();
        found.ok_or_else(|| not_found(name))
    }

    /// Err: `NotFound`, also when the revision is a removal.
    pub async fn revision(&self, name: &IntentName, revision: u64) -> Result<StoredBlueprint, Error> {
        let found = self.stored().revision(name, revision).await?.map(parse).transpose()?.flatten();
        found.ok_or_else(|| not_found(name))
    }

    /// By name, without documents.
    pub async fn list(&self, page: PageRequest) -> Result<Page<BlueprintSummary>, Error> {
        Ok(self.stored().list(page).await?)
    }

    /// Warnings about a document without steps, which the blueprint of its name would refuse when it is executed.
    pub(crate) async fn misfits(&self, document: &IntentDocument) -> Result<Vec<Finding>, Error> {
        let Some(template) = self.template(&document.name).await? else { return Ok(Vec::new()) };
        let misfits = template.blueprint.check_definition(&document.source).into_iter();
        Ok(misfits.map(|finding| Finding { severity: Severity::Warning, ..finding }).collect())
    }

    /// What gives steps to the intents of this name, without asking the store again as long as nothing has changed.
    pub(crate) async fn template(&self, name: &IntentName) -> Result<Option<Arc<Template>>, Error> {
        let Catalog { store, templates, .. } = self.catalog;
        let key = (self.scope.tenant().clone(), name.clone());
        let change = store.change_number();
        if let Some(kept) = templates.find(change, &key) {
            return Ok(kept);
        }
        let stored = self.stored().newest(name).await?.map(parse).transpose()?.flatten();
        let template = stored.map(|stored| {
            let blueprint = Blueprint::read(&stored.document).map_err(corrupt)?;
            Ok::<_, Error>(Arc::new(Template { revision: stored.summary.revision, blueprint }))
        });
        let template = template.transpose()?;
        templates.keep(change, key, template.clone());
        Ok(template)
    }
}
