//! What goes by time, across tenants. Each call does a bounded part, so that the writer is not held for long: call
//! again until it gives less than `limit`.

use quantum_core::id::{Digest, TenantId};
use quantum_core::time::Timestamp;

use super::Platform;
use crate::Error;
use crate::access::Access;
use crate::artifacts::release;
use crate::database::{Columns, Conn, Dialect, Query};

const EXPIRED: &str =
    "DELETE FROM kv WHERE rowid IN (SELECT rowid FROM kv WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
/// Names of executions that are not there; younger ones are not looked at.
const ORPHANED: &str = "SELECT EXISTS (SELECT 1 FROM artifact_names n WHERE n.execution_id <> '' AND n.at <= ?1 AND NOT EXISTS ( \
         SELECT 1 FROM executions e WHERE e.tenant_id = n.tenant_id AND e.id = n.execution_id))";
const NAMES: &str = "DELETE FROM artifact_names WHERE (tenant_id, execution_id, name) IN ( \
     SELECT n.tenant_id, n.execution_id, n.name FROM artifact_names n \
     WHERE n.execution_id <> '' AND n.at <= ?1 AND NOT EXISTS ( \
         SELECT 1 FROM executions e WHERE e.tenant_id = n.tenant_id AND e.id = n.execution_id) LIMIT ?2) \
     RETURNING tenant_id, digest";
const UNHELD: &str = "DELETE FROM artifacts WHERE (tenant_id, digest) IN ( \
     SELECT tenant_id, digest FROM artifacts WHERE unheld_at IS NOT NULL AND unheld_at <= ? LIMIT ?)";
/// Of the given digests as a JSON array, those that some tenant has.
const KNOWN: &str =
    "SELECT DISTINCT a.digest FROM json_each(?) v CROSS JOIN artifacts a ON a.digest = v.value";
/// Tenants that have something of it.
const WITH_EXPIRED: &str = "SELECT DISTINCT tenant_id FROM kv WHERE expires_at <= ?";
const EXPIRED_OF_TENANT: &str = "DELETE FROM kv WHERE tenant_id = ?1 AND (plugin, key) IN ( \
     SELECT plugin, key FROM kv WHERE tenant_id = ?1 AND expires_at <= ?2 LIMIT ?3)";
const WITH_ORPHANED: &str = "SELECT DISTINCT n.tenant_id FROM artifact_names n WHERE n.execution_id <> '' AND n.at <= ?1 \
     AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.tenant_id = n.tenant_id AND e.id = n.execution_id)";
const NAMES_OF_TENANT: &str = "DELETE FROM artifact_names WHERE tenant_id = ?1 AND (execution_id, name) IN ( \
     SELECT n.execution_id, n.name FROM artifact_names n \
     WHERE n.tenant_id = ?1 AND n.execution_id <> '' AND n.at <= ?2 AND NOT EXISTS ( \
         SELECT 1 FROM executions e WHERE e.tenant_id = n.tenant_id AND e.id = n.execution_id) LIMIT ?3) \
     RETURNING tenant_id, digest";
const WITH_UNHELD: &str = "SELECT DISTINCT tenant_id FROM artifacts WHERE unheld_at <= ?";
const UNHELD_OF_TENANT: &str = "DELETE FROM artifacts WHERE tenant_id = ?1 AND digest IN ( \
     SELECT digest FROM artifacts WHERE tenant_id = ?1 AND unheld_at IS NOT NULL AND unheld_at <= ?2 LIMIT ?3)";
const MASTERS: &str = "SELECT DISTINCT master FROM tenant_keys ORDER BY master";

impl Platform<'_> {
    /// Removes values that are over their time. Gives how many there were.
    pub async fn purge_expired_values(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        let (now, limit) = (now.as_millis(), i64::from(limit));
        let of_tenant =
            |tenant: &TenantId| Query::new(EXPIRED_OF_TENANT).bind(tenant.to_string()).bind(now).bind(limit);
        let found = Query::new(WITH_EXPIRED).bind(now);
        self.sweep(Query::new(EXPIRED).bind(now).bind(limit), found, of_tenant).await
    }

    /// Removes names, given at this time or before, of executions that are not there; what they held is released `at`.
    /// Gives how many there were. Names go with their execution, so that there are none but after a late attempt.
    pub async fn purge_orphaned_names(
        &self,
        given: Timestamp,
        at: Timestamp,
        limit: u32,
    ) -> Result<u64, Error> {
        let (given, limit) = (given.as_millis(), i64::from(limit));
        if self.store.dialect() == Dialect::Postgres {
            let mut removed = 0;
            for tenant in self.found(Query::new(WITH_ORPHANED).bind(given)).await? {
                let query = Query::new(NAMES_OF_TENANT).bind(tenant.to_string()).bind(given).bind(limit);
                removed += self.remove_names(Access::Tenant(&tenant), query, at).await?;
            }
            return Ok(removed);
        }
        // All names are looked at, which the writer has no time for unless there is something to remove.
        let found = self.ask(Query::new(ORPHANED).bind(given)).await?;
        if !found.first().map_or(Ok(false), |row| Columns::new(row, "artifact_names").flag())? {
            return Ok(0);
        }
        self.remove_names(Access::Platform, Query::new(NAMES).bind(given).bind(limit), at).await
    }

    async fn remove_names(&self, access: Access<'_>, query: Query, at: Timestamp) -> Result<u64, Error> {
        self.store.write_as(access, move |conn| Box::pin(remove_names(conn, query, at))).await
    }

    /// Makes tenants forget artifacts that no name has held since this time or longer. Gives how many there were.
    pub async fn purge_unheld_artifacts(&self, since: Timestamp, limit: u32) -> Result<u64, Error> {
        let (since, limit) = (since.as_millis(), i64::from(limit));
        let of_tenant =
            |tenant: &TenantId| Query::new(UNHELD_OF_TENANT).bind(tenant.to_string()).bind(since).bind(limit);
        let found = Query::new(WITH_UNHELD).bind(since);
        self.sweep(Query::new(UNHELD).bind(since).bind(limit), found, of_tenant).await
    }

    /// Those of the digests that no tenant has.
    pub async fn unknown_artifacts(&self, digests: Vec<Digest>) -> Result<Vec<Digest>, Error> {
        let rows = self.ask(Query::new(KNOWN).bind(serde_json::json!(digests).to_string())).await?;
        let known: Result<std::collections::HashSet<Digest>, _> =
            rows.iter().map(|row| Columns::new(row, "artifacts").parsed()).collect();
        let known = known?;
        Ok(digests.into_iter().filter(|digest| !known.contains(digest)).collect())
    }

    /// Which master keys wrap the keys of tenants.
    pub async fn master_keys(&self) -> Result<Vec<String>, Error> {
        let rows = self.ask(Query::new(MASTERS)).await?;
        rows.iter().map(|row| Columns::new(row, "tenant_keys").owned()).collect()
    }

    /// Removes something of all tenants: by one statement, or on PostgreSQL by one for each tenant that is `found` to
    /// have some, in a transaction of its own. Gives how many rows there were.
    pub(crate) async fn sweep(
        &self,
        all: Query,
        found: Query,
        of_tenant: impl Fn(&TenantId) -> Query,
    ) -> Result<u64, Error> {
        if self.store.dialect() == Dialect::Sqlite {
            return self.write(Access::Platform, all).await;
        }
        let mut removed = 0;
        for tenant in self.found(found).await? {
            removed += self.write(Access::Tenant(&tenant), of_tenant(&tenant)).await?;
        }
        Ok(removed)
    }
}

async fn remove_names(conn: &mut Conn, query: Query, at: Timestamp) -> Result<u64, Error> {
    let removed = query.fetch_all(&mut *conn).await?;
    for row in &removed {
        let mut columns = Columns::new(row, "artifact_names");
        let (tenant, digest): (TenantId, Digest) = (columns.tenant()?, columns.parsed()?);
        release(conn, &tenant, &digest, at).await?;
    }
    Ok(removed.len() as u64)
}
