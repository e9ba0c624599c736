//! Keeps the directory in step with the store: one change at a time, and none forgotten.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use quantum_core::id::TenantId;
use quantum_store::TenantScope;

use crate::{Catalog, Error};

/// Who may change installations now, and whose changes the directory has not seen.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    turn: tokio::sync::Mutex<()>,
    /// INVARIANT: a tenant is in it from before its installations are written until the directory has them. So a
    /// caller that goes away between the two leaves a mark, and the next one catches up.
    unseen: Mutex<HashSet<TenantId>>,
}

/// Held while installations are read, compared and written: the difference that is shown is the one that is made.
pub(super) struct Turn<'a> {
    catalog: &'a Catalog,
    scope: &'a TenantScope,
    _held: tokio::sync::MutexGuard<'a, ()>,
}

impl Changes {
    fn is_unseen(&self, tenant: &TenantId) -> bool {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }

    fn mark(&self, tenant: &TenantId) {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
    }

    fn clear(&self, tenant: &TenantId) {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }
}

impl Catalog {
    /// Makes the directory show what the tenant has installed, if a change of it was cut off.
    pub(crate) async fn settle(&self, scope: &TenantScope) -> Result<(), Error> {
        if self.changes.is_unseen(scope.tenant()) {
            self.turn(scope).await?;
        }
        Ok(())
    }

    /// Makes the directory show what the tenant has installed, which another node may have changed. After an error, the
    /// next one who asks for the tenant's installations does.
    pub async fn catch_up(&self, scope: &TenantScope) -> Result<(), Error> {
        self.changes.mark(scope.tenant());
        self.turn(scope).await.map(drop)
    }

    /// Waits for changes under way; then the directory shows what is stored.
    pub(super) async fn turn<'a>(&'a self, scope: &'a TenantScope) -> Result<Turn<'a>, Error> {
        let turn = Turn { catalog: self, scope, _held: self.changes.turn.lock().await };
        if self.changes.is_unseen(scope.tenant()) {
            turn.show().await?;
        }
        Ok(turn)
    }
}

impl Turn<'_> {
    /// To be called before installations are written.
    pub fn announce(&self) {
        self.catalog.changes.mark(self.scope.tenant());
    }

    /// Puts what is stored into the directory.
    pub async fn show(&self) -> Result<(), Error> {
        let rows = self.catalog.store.installations(self.scope).list().await?;
        self.catalog.directory.put(self.scope.tenant(), rows);
        self.catalog.changes.clear(self.scope.tenant());
        Ok(())
    }
}
