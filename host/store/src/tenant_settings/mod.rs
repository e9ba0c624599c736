//! What an administrator sets for a tenant. A few rows, asked for all the time: they are also in memory.

mod known;
mod write;

use std::sync::Arc;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::tenant::TenantSettings;
use quantum_core::time::Timestamp;

use crate::Error;
use crate::database::Columns;
use crate::database::{Query, Row};
use crate::platform::Platform;
use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use known::KnownSettings;
pub(crate) use write::{class_of_target, has_own_target, postgres_class_of_target, sql as write_sql};

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSettings {
    pub tenant: TenantId,
    /// From 1; grows with every change.
    pub revision: u64,
    /// JSON text, as it was written.
    pub document: String,
    pub updated_at: Timestamp,
    pub updated_by: PrincipalId,
}

/// A document that takes the place of the stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSettings {
    /// JSON text of `TenantSettings`.
    pub document: String,
    /// `If-Match`: the revision that the change is based on; 0 where nothing is stored.
    pub expected_revision: Option<u64>,
    pub by: PrincipalId,
    pub at: Timestamp,
}

/// What holds in a tenant. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsInForce {
    /// 0: nothing is stored, all of it is default.
    pub revision: u64,
    pub settings: Arc<TenantSettings>,
}

/// The settings of one tenant.
pub struct Settings<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

pub(crate) mod sql {
    crate::database::statements! {
        GET = "SELECT tenant_id, revision, document, updated_at, updated_by FROM tenant_settings WHERE tenant_id = ?";
    }
}

impl Settings<'_> {
    /// From memory. Whoever was told of a change is followed by nobody who is given what was before it.
    pub fn in_force(&self) -> SettingsInForce {
        self.store.settings.of(self.scope.tenant())
    }

    /// None: nothing is stored.
    pub async fn get(&self) -> Result<Option<StoredSettings>, Error> {
        let query = Query::new(sql::GET).bind(self.scope.tenant().to_string());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        let columns = |row| Columns::scoped(row, "tenant_settings", self.scope, &self.store.counters);
        row.as_ref().map(|row| decode_row(&mut columns(row)?)).transpose()
    }
}

impl Platform<'_> {
    /// As `Settings::in_force`, for loops that go through the work of all tenants.
    pub fn settings_of(&self, tenant: &TenantId) -> Arc<TenantSettings> {
        self.store.settings.of(tenant).settings
    }
}

/// In the writer and at the start, where rows of all tenants are read.
fn decode_platform_row(row: &Row) -> Result<StoredSettings, Error> {
    decode_row(&mut Columns::new(row, "tenant_settings"))
}

fn decode_row(columns: &mut Columns<'_>) -> Result<StoredSettings, Error> {
    Ok(StoredSettings {
        tenant: columns.tenant()?,
        revision: columns.number()?,
        document: columns.owned()?,
        updated_at: columns.time()?,
        updated_by: columns.parsed()?,
    })
}

/// Err: `Corrupt`.
fn parse(document: &str) -> Result<TenantSettings, Error> {
    let corrupt = |error: serde_json::Error| Error::Corrupt {
        what: "the settings of a tenant",
        detail: error.to_string(),
    };
    serde_json::from_str(document).map_err(corrupt)
}
