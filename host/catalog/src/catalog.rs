//! The handle: hands out the use cases by what they work on.

use std::sync::Arc;

use quantum_store::{Store, TenantScope};

use crate::directory::Directory;
use crate::installations::{Changes, Installations};
use crate::intents::Intents;
use crate::plans::PlanCache;
use crate::tenants::Tenants;

/// Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    pub(crate) plans: Arc<PlanCache>,
    pub(crate) changes: Arc<Changes>,
}

impl Catalog {
    /// `directory` was opened from the same store.
    pub fn new(store: Store, directory: Arc<Directory>) -> Self {
        Self { store, directory, plans: Arc::default(), changes: Arc::default() }
    }

    pub const fn intents<'a>(&'a self, scope: &'a TenantScope) -> Intents<'a> {
        Intents { catalog: self, scope }
    }

    pub const fn installations<'a>(&'a self, scope: &'a TenantScope) -> Installations<'a> {
        Installations { catalog: self, scope }
    }

    pub const fn tenants(&self) -> Tenants<'_> {
        Tenants { store: &self.store }
    }

    pub const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }
}
