//! The keys of a tenant, by version.

use super::{Secrets, TenantKey};
use crate::Error;
use crate::database::{Columns, Query, Row, is_refusal};

pub(crate) mod sql {
    crate::database::statements! {
        CURRENT = "SELECT tenant_id, version, master, wrapped, created_at FROM tenant_keys \
                   WHERE tenant_id = ? ORDER BY version DESC LIMIT 1";
        GET = "SELECT tenant_id, version, master, wrapped, created_at FROM tenant_keys \
               WHERE tenant_id = ? AND version = ?";
        ADD = "INSERT INTO tenant_keys (tenant_id, version, master, wrapped, created_at) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT DO NOTHING";
        DROP = "DELETE FROM tenant_keys WHERE tenant_id = ?1 AND version < ?2 AND NOT EXISTS \
                (SELECT 1 FROM secrets s WHERE s.tenant_id = ?1 AND s.key_version = tenant_keys.version)";
    }
}

impl Secrets<'_> {
    /// The one to encrypt with. None: the tenant has no key yet.
    pub async fn current_key(&self) -> Result<Option<TenantKey>, Error> {
        let query = Query::new(sql::CURRENT).bind(self.scope.tenant().to_string());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| self.decode(row)).transpose()
    }

    /// Err: `NotFound`.
    pub async fn key(&self, version: u32) -> Result<TenantKey, Error> {
        let query = Query::new(sql::GET).bind(self.scope.tenant().to_string()).bind(i64::from(version));
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        let found = row.as_ref().map(|row| self.decode(row)).transpose()?;
        found.ok_or_else(|| Error::NotFound { kind: "tenant key", name: version.to_string() })
    }

    /// Gives the key of this version that is stored: another one when somebody was faster. Err: `ForeignRow` when it is
    /// of another tenant than the scope's, `NotFound` (no such tenant).
    pub async fn add_key(&self, key: TenantKey) -> Result<TenantKey, Error> {
        if key.tenant != *self.scope.tenant() {
            return Err(Error::ForeignRow { table: "tenant_keys" });
        }
        let (name, version) = (key.tenant.to_string(), key.version);
        let query = Query::new(sql::ADD).bind(name.clone()).bind(i64::from(version)).bind(key.master);
        let query = query.bind(key.wrapped).bind(key.created_at.as_millis());
        let added = self
            .store
            .write(self.scope, move |conn| Box::pin(async { Ok(query.execute(conn).await.map(drop)?) }));
        match added.await {
            Err(Error::Query(error)) if is_refusal(&error) => Err(Error::NotFound { kind: "tenant", name }),
            Err(error) => Err(error),
            Ok(()) => self.key(version).await,
        }
    }

    /// Removes the keys below this version that no secret needs. Gives how many there were.
    pub async fn drop_keys(&self, below: u32) -> Result<u64, Error> {
        let query = Query::new(sql::DROP).bind(self.scope.tenant().to_string()).bind(i64::from(below));
        let write =
            self.store.write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await?) }));
        write.await
    }

    fn decode(&self, row: &Row) -> Result<TenantKey, Error> {
        decode(&mut self.columns(row, "tenant_keys")?)
    }
}

pub(super) fn decode(columns: &mut Columns<'_>) -> Result<TenantKey, Error> {
    Ok(TenantKey {
        tenant: columns.tenant()?,
        version: columns.number()?,
        master: columns.owned()?,
        wrapped: columns.bytes()?.to_vec(),
        created_at: columns.time()?,
    })
}
