//! The settings of all tenants in memory: read at the start, kept in line by the writer.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use quantum_core::id::TenantId;
use quantum_core::tenant::TenantSettings;

use super::{SettingsInForce, StoredSettings, decode_platform_row, parse};
use crate::Error;
use crate::access::Access;
use crate::database::{Query, Sql};
use crate::postgres::Postgres;
use crate::store::Store;

const ALL: Sql = Sql::each(
    "SELECT tenant_id, revision, document, updated_at, updated_by FROM tenant_settings",
    "SELECT tenant_id, revision, document, updated_at, updated_by FROM tenant_settings \
     WHERE tenant_id = ANY (app.tenants())",
);

/// Tenants that have nothing stored are not in it. INVARIANT: it holds what the table holds, for every change that
/// anybody was told of.
#[derive(Debug, Default)]
pub(crate) struct KnownSettings {
    by_tenant: RwLock<HashMap<TenantId, SettingsInForce>>,
    defaults: Arc<TenantSettings>,
}

impl KnownSettings {
    /// Err: also a row that cannot be read: limits that are not known must not be passed over.
    pub async fn load(&self, store: &Store) -> Result<(), Error> {
        for row in store.platform().all(&Query::new(ALL)).await? {
            let StoredSettings { tenant, revision, document, .. } = decode_platform_row(&row)?;
            self.set(tenant, SettingsInForce { revision, settings: Arc::new(parse(&document)?) });
        }
        Ok(())
    }

    /// What another node may have changed.
    pub async fn reload(&self, postgres: &Postgres, tenants: &[TenantId]) -> Result<(), Error> {
        let mut conn = postgres.begin(Access::Tenants(tenants)).await?;
        for row in Query::new(ALL).fetch_all(&mut conn).await? {
            let StoredSettings { tenant, revision, document, .. } = decode_platform_row(&row)?;
            self.set(tenant, SettingsInForce { revision, settings: Arc::new(parse(&document)?) });
        }
        Ok(())
    }

    pub fn of(&self, tenant: &TenantId) -> SettingsInForce {
        let known = self.by_tenant.read().unwrap_or_else(PoisonError::into_inner);
        let defaults = || SettingsInForce { revision: 0, settings: self.defaults.clone() };
        known.get(tenant).cloned().unwrap_or_else(defaults)
    }

    /// What is older than what is known says nothing: it was read before a change that somebody was told of.
    pub fn set(&self, tenant: TenantId, now: SettingsInForce) {
        let mut known = self.by_tenant.write().unwrap_or_else(PoisonError::into_inner);
        if known.get(&tenant).is_none_or(|known| known.revision < now.revision) {
            known.insert(tenant, now);
        }
    }
}
