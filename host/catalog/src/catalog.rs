//! The handle: hands out the use cases by what they work on.

use std::sync::Arc;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::intent::IntentRef;
use quantum_store::{IntentRecord, Membership, Store, TenantScope, UsageOf};

use crate::blueprints::{Blueprints, Templates};
use crate::directory::Directory;
use crate::installations::{Changes, Installations};
use crate::intents::Intents;
use crate::kept::Kept;
use crate::plans::PlanCache;
use crate::schedules::Schedules;
use crate::settings::Settings;
use crate::tenants::Tenants;

/// Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    pub(crate) plans: Arc<PlanCache>,
    pub(crate) changes: Arc<Changes>,
    /// By principal.
    pub(crate) memberships: Arc<Kept<PrincipalId, Arc<[Membership]>>>,
    /// By tenant and reference.
    pub(crate) records: Arc<Kept<(TenantId, IntentRef), Arc<IntentRecord>>>,
    pub(crate) templates: Arc<Templates>,
}

impl Catalog {
    /// `directory` was opened from the same store.
    pub fn new(store: Store, directory: Arc<Directory>) -> Self {
        Self {
            store,
            directory,
            plans: Arc::default(),
            changes: Arc::default(),
            memberships: Arc::default(),
            records: Arc::default(),
            templates: Arc::default(),
        }
    }

    pub const fn intents<'a>(&'a self, scope: &'a TenantScope) -> Intents<'a> {
        Intents { catalog: self, scope }
    }

    pub const fn blueprints<'a>(&'a self, scope: &'a TenantScope) -> Blueprints<'a> {
        Blueprints { catalog: self, scope }
    }

    pub const fn installations<'a>(&'a self, scope: &'a TenantScope) -> Installations<'a> {
        Installations { catalog: self, scope }
    }

    pub const fn settings<'a>(&'a self, scope: &'a TenantScope) -> Settings<'a> {
        Settings { catalog: self, scope }
    }

    pub const fn schedules<'a>(&'a self, scope: &'a TenantScope) -> Schedules<'a> {
        Schedules { catalog: self, scope }
    }

    /// What attempts used.
    pub const fn usage<'a>(&'a self, scope: &'a TenantScope) -> UsageOf<'a> {
        self.store.usage(scope)
    }

    pub const fn tenants(&self) -> Tenants<'_> {
        Tenants { catalog: self }
    }

    pub const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }
}
