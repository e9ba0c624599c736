//! What goes by time, across tenants. Each call does a bounded part, so that the writer is not held for long: call
//! again until it gives less than `limit`.

use quantum_core::id::{Digest, TenantId};
use quantum_core::time::Timestamp;

use super::Platform;
use crate::Error;
use crate::artifacts::release;
use crate::sqlite::Columns;

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
const MASTERS: &str = "SELECT DISTINCT master FROM tenant_keys ORDER BY master";

impl Platform<'_> {
    /// Removes values that are over their time. Gives how many there were.
    pub async fn purge_expired_values(&self, now: Timestamp, limit: u32) -> Result<u64, Error> {
        self.affected(sqlx::query(EXPIRED).bind(now.as_millis()).bind(i64::from(limit))).await
    }

    /// Removes names, given at this time or before, of executions that are not there; what they held is released `at`.
    /// Gives how many there were. Names go with their execution, so that there are none but after a late attempt.
    pub async fn purge_orphaned_names(
        &self,
        given: Timestamp,
        at: Timestamp,
        limit: u32,
    ) -> Result<u64, Error> {
        // All names are looked at, which the writer has no time for unless there is something to remove.
        let found = sqlx::query(ORPHANED).bind(given.as_millis()).fetch_one(&self.store.readers).await?;
        if !Columns::new(&found, "artifact_names").flag()? {
            return Ok(0);
        }
        let query = sqlx::query(NAMES).bind(given.as_millis()).bind(i64::from(limit));
        let write = self.store.writer.run(move |conn| {
            Box::pin(async move {
                let removed = query.fetch_all(&mut *conn).await?;
                for row in &removed {
                    let mut columns = Columns::new(row, "artifact_names");
                    let (tenant, digest): (TenantId, Digest) = (columns.tenant()?, columns.parsed()?);
                    release(conn, &tenant, &digest, at).await?;
                }
                Ok(removed.len() as u64)
            })
        });
        write.await
    }

    /// Makes tenants forget artifacts that no name has held since this time or longer. Gives how many there were.
    pub async fn purge_unheld_artifacts(&self, since: Timestamp, limit: u32) -> Result<u64, Error> {
        self.affected(sqlx::query(UNHELD).bind(since.as_millis()).bind(i64::from(limit))).await
    }

    /// Those of the digests that no tenant has.
    pub async fn unknown_artifacts(&self, digests: Vec<Digest>) -> Result<Vec<Digest>, Error> {
        let query = sqlx::query(KNOWN).bind(serde_json::json!(digests).to_string());
        let rows = query.fetch_all(&self.store.readers).await?;
        let known: Result<std::collections::HashSet<Digest>, _> =
            rows.iter().map(|row| Columns::new(row, "artifacts").parsed()).collect();
        let known = known?;
        Ok(digests.into_iter().filter(|digest| !known.contains(digest)).collect())
    }

    /// Which master keys wrap the keys of tenants.
    pub async fn master_keys(&self) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(MASTERS).fetch_all(&self.store.readers).await?;
        rows.iter().map(|row| Columns::new(row, "tenant_keys").owned()).collect()
    }
}
