//! Plugins that a tenant installed, with what the installer consented to.

use quantum_core::id::{Digest, PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Signature, Trust};

use crate::Error;
use crate::database::Columns;
use crate::database::{Conn, Query, Row};
use crate::scope::TenantScope;
use crate::store::Store;

/// One version of one plugin in one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub tenant: TenantId,
    /// `namespace:name`.
    pub plugin: String,
    pub version: String,
    pub component: Digest,
    /// JSON text.
    pub manifest: String,
    /// JSON text: the grant.
    pub consent: String,
    /// JSON text: `Settings`.
    pub settings: String,
    pub trust: Trust,
    pub signature: Signature,
    pub installed_by: PrincipalId,
    pub installed_at: Timestamp,
    /// Names resolve to the active version; earlier ones stay for the executions that are pinned to them.
    pub active: bool,
}

/// The installations of one tenant.
pub struct Installations<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

/// The columns that `decode` reads.
macro_rules! columns {
    () => {
        "tenant_id, plugin, version, component, manifest, consent, settings, trust, signature, installed_by, \
         installed_at, active"
    };
}
pub(crate) use columns;

pub(crate) mod sql {
    crate::database::statements! {
        UPSERT = "INSERT INTO installations (tenant_id, plugin, version, component, manifest, consent, settings, trust, \
                  signature, installed_by, installed_at, active) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                  ON CONFLICT (tenant_id, plugin, version) DO UPDATE SET component = excluded.component, manifest = excluded.manifest, \
                  consent = excluded.consent, settings = excluded.settings, trust = excluded.trust, \
                  signature = excluded.signature, installed_by = excluded.installed_by, \
                  installed_at = excluded.installed_at, active = excluded.active";
        RETIRE = "UPDATE installations SET active = FALSE WHERE tenant_id = ? AND plugin = ? AND version <> ?";
        LIST = concat!(
            "SELECT ", super::columns!(), " FROM installations WHERE tenant_id = ? ORDER BY plugin, version"
        );
        GET = concat!(
            "SELECT ", super::columns!(), " FROM installations WHERE tenant_id = ? AND plugin = ? AND active = TRUE"
        );
        REMOVE = "DELETE FROM installations WHERE tenant_id = ? AND plugin = ?";
    }
}

impl Installations<'_> {
    /// Writes this version of the plugin. When it is active, the plugin's other versions are not any more. Err:
    /// `ForeignRow` when it is of another tenant than the scope's.
    pub async fn upsert(&self, installation: Installation) -> Result<(), Error> {
        if installation.tenant != *self.scope.tenant() {
            return Err(Error::ForeignRow { table: "installations" });
        }
        self.store.write(self.scope, move |conn| Box::pin(upsert(conn, installation))).await
    }

    /// By plugin, then version; inactive ones too.
    pub async fn list(&self) -> Result<Vec<Installation>, Error> {
        let rows = Query::new(sql::LIST)
            .bind(self.scope.tenant().to_string())
            .fetch_all(&mut self.store.read(self.scope).await?)
            .await?;
        rows.iter().map(|row| self.decode(row)).collect()
    }

    /// The active version.
    pub async fn get(&self, plugin: &str) -> Result<Option<Installation>, Error> {
        let query = Query::new(sql::GET).bind(self.scope.tenant().to_string()).bind(plugin.to_owned());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| self.decode(row)).transpose()
    }

    /// All versions. False: there was none.
    pub async fn remove(&self, plugin: &str) -> Result<bool, Error> {
        let query = Query::new(sql::REMOVE).bind(self.scope.tenant().to_string()).bind(plugin.to_owned());
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }

    fn decode(&self, row: &Row) -> Result<Installation, Error> {
        decode(Columns::scoped(row, "installations", self.scope, &self.store.counters)?)
    }
}

async fn upsert(conn: &mut Conn, installation: Installation) -> Result<(), Error> {
    if installation.active {
        let query = Query::new(sql::RETIRE).bind(installation.tenant.to_string());
        let query = query.bind(installation.plugin.clone()).bind(installation.version.clone());
        query.execute(&mut *conn).await?;
    }
    Query::new(sql::UPSERT)
        .bind(installation.tenant.to_string())
        .bind(installation.plugin)
        .bind(installation.version)
        .bind(installation.component.to_string())
        .bind(installation.manifest)
        .bind(installation.consent)
        .bind(installation.settings)
        .bind(installation.trust.as_str())
        .bind(installation.signature.as_str())
        .bind(installation.installed_by.to_string())
        .bind(installation.installed_at.as_millis())
        .bind(installation.active)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) fn decode(mut columns: Columns<'_>) -> Result<Installation, Error> {
    Ok(Installation {
        tenant: columns.tenant()?,
        plugin: columns.owned()?,
        version: columns.owned()?,
        component: columns.parsed()?,
        manifest: columns.owned()?,
        consent: columns.owned()?,
        settings: columns.owned()?,
        trust: columns.word(Trust::parse)?,
        signature: columns.word(Signature::parse)?,
        installed_by: columns.parsed()?,
        installed_at: columns.time()?,
        active: columns.flag()?,
    })
}
