//! The lease of a node: taken, extended, given up.

use quantum_core::time::Timestamp;

use super::{Beat, NodeRecord, Nodes};
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query};

/// Milliseconds of a lease that nobody extends: a thousand years.
const ENDLESS_MS: u64 = 1_000 * 365 * 24 * 60 * 60 * 1_000;

/// What one says of itself is the same at every start of a process, so that only the lease can change.
const REGISTER: &str = "INSERT INTO nodes (id, name, version, url, started_at, lease_until, draining) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6 + ?7, FALSE) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until";
const BEAT: &str = "UPDATE nodes SET lease_until = ?2 + ?3 WHERE id = ?1 AND lease_until > ?2";
const OTHERS: &str = "DELETE FROM nodes WHERE id <> ?1";
const DRAIN: &str = "UPDATE nodes SET draining = TRUE WHERE id = ?1";
const RELEASE: &str = "UPDATE nodes SET lease_until = 0, draining = TRUE WHERE id = ?1";
const ALIVE: &str = "SELECT count(*) FROM nodes WHERE id = ?1 AND lease_until > ?2";

impl Nodes<'_> {
    /// After it returned the node may own executions, for so many milliseconds from `now` on.
    pub async fn register(&self, node: &NodeRecord, lease_ms: u64, now: Timestamp) -> Result<(), Error> {
        let node = node.clone();
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(async move {
                let now = conn.now(now).await?;
                Ok(register(&node, lease_ms, now).execute(conn).await.map(drop)?)
            })
        });
        write.await
    }

    /// As `register`, for a process that knows that no other one uses the store: all others that are noted have died, and
    /// its own lease does not end.
    pub async fn register_alone(&self, node: &NodeRecord, now: Timestamp) -> Result<(), Error> {
        let others = Query::new(OTHERS).bind(node.id.clone());
        let own = register(node, ENDLESS_MS, now.as_millis());
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(async move {
                others.execute(&mut *conn).await?;
                Ok(own.execute(conn).await.map(drop)?)
            })
        });
        write.await
    }

    /// Extends the lease to so many milliseconds from `now` on. `Lost`: before this, somebody may have thought that the
    /// node is dead. One write, however much the node owns.
    pub async fn beat(&self, node: &NodeRecord, lease_ms: u64, now: Timestamp) -> Result<Beat, Error> {
        let node = node.clone();
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(async move {
                let now = conn.now(now).await?;
                let beat = Query::new(BEAT).bind(node.id.clone()).bind(now).bind(lease_ms.cast_signed());
                if beat.execute(&mut *conn).await? > 0 {
                    return Ok(Beat::Held);
                }
                register(&node, lease_ms, now).execute(conn).await?;
                Ok(Beat::Lost)
            })
        });
        write.await
    }

    /// It is about to end, and leads nothing any more. What it owns stays its own until `release`.
    pub async fn drain(&self, id: &str) -> Result<(), Error> {
        self.change(Query::new(DRAIN).bind(id.to_owned())).await
    }

    /// The lease is over at once: whatever the node owned is free for others.
    pub async fn release(&self, id: &str) -> Result<(), Error> {
        self.change(Query::new(RELEASE).bind(id.to_owned())).await
    }

    /// Whether there is a node of this id whose lease is not over.
    pub async fn is_alive(&self, id: &str, now: Timestamp) -> Result<bool, Error> {
        let (found, _) = self.timed(Query::new(ALIVE).bind(id.to_owned()), now).await?;
        Ok(found.first().map_or(Ok(0), |row| Columns::new(row, "nodes").int())? > 0)
    }

    async fn change(&self, query: Query) -> Result<(), Error> {
        self.store.platform().write(Access::Platform, query).await.map(drop)
    }
}

fn register(node: &NodeRecord, lease_ms: u64, now: i64) -> Query {
    Query::new(REGISTER)
        .bind(node.id.clone())
        .bind(node.name.clone())
        .bind(node.version.clone())
        .bind(node.url.clone())
        .bind(node.started_at.as_millis())
        .bind(now)
        .bind(lease_ms.cast_signed())
}
