//! Turns to decide about places: whoever holds the turn of a tenant counts and starts, and nobody else does meanwhile, on
//! whichever node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::TenantId;
use tokio::sync::OwnedMutexGuard;

use super::Executions;
use crate::Error;
use crate::database::Conn;
use crate::store::Backend;

/// Held until what was decided is durable.
pub struct Turn {
    _held: OwnedMutexGuard<()>,
    /// Of PostgreSQL: a transaction that has the tenant's lock.
    _lock: Option<Conn>,
}

/// Of this process: nodes of a file are all in it, and those of a server ask it once they have their turn here.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    tenants: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    fn of(&self, tenant: &TenantId) -> Arc<tokio::sync::Mutex<()>> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|known, turn| known == tenant || Arc::strong_count(turn) > 1);
        tenants.entry(tenant.clone()).or_default().clone()
    }
}

impl Executions<'_> {
    /// Waits for its turn. Err: `Unavailable`.
    pub async fn turn(&self) -> Result<Turn, Error> {
        let turn = self.store.turns.of(self.scope.tenant());
        let held = turn.lock_owned().await;
        let lock = match &self.store.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(postgres) => Some(postgres.turn(self.scope.tenant()).await?),
        };
        Ok(Turn { _held: held, _lock: lock })
    }
}
