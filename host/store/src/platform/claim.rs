//! Taking over what belongs to nobody: executions whose owner's lease is over.

use std::collections::{BTreeSet, HashMap};

use quantum_core::id::TenantId;
use quantum_core::time::Timestamp;

use super::Platform;
use super::recovery::{assemble_each, key};
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Conn, Query, Row, Rows, Sql};
use crate::executions::{ExecutionKey, StoredExecution, row_columns};
use crate::nodes::Reader;

/// Each owner of something open is found by one search, so that those who own much cost no more.
const DEAD_OWNERS: &str = "WITH RECURSIVE owners (owner) AS ( \
         SELECT min(e.owner) FROM executions e WHERE e.ended_at IS NULL \
         UNION ALL \
         SELECT (SELECT min(e.owner) FROM executions e WHERE e.ended_at IS NULL AND e.owner > o.owner) \
         FROM owners o WHERE o.owner IS NOT NULL) \
     SELECT o.owner FROM owners o WHERE o.owner IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM nodes n WHERE n.id = o.owner AND n.lease_until > ?1)";
/// The lease is asked for again: its node may have come back. On PostgreSQL, what another node takes at the same time is
/// passed over.
///
/// Asked as a range of owners, of which there is one: where a node owns nearly everything, a planner that is told of one
/// owner takes any index of the same order, and reads what has been taken already again with each batch.
macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "WITH dead AS MATERIALIZED ( \
             SELECT e.tenant_id, e.id FROM executions e WHERE e.owner >= ?2 AND e.owner <= ?2 \
             AND e.ended_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = ?2 AND n.lease_until > ?3) \
             ORDER BY e.owner, e.tenant_id, e.id LIMIT ?4",
            $lock,
            ") UPDATE executions SET owner = ?1, epoch = epoch + 1 \
             WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM dead) RETURNING tenant_id, id"
        )
    };
}

const CLAIM: Sql = Sql::each(claim!(""), claim!(" FOR UPDATE SKIP LOCKED"));
const OWNED: &str = "SELECT tenant_id, id FROM executions WHERE owner <= ?1 AND ended_at IS NULL \
     AND (owner, tenant_id, id) > (?1, ?2, ?3) ORDER BY owner, tenant_id, id LIMIT ?4";
/// What is found by its owner, for the test of plans.
pub(crate) const BY_OWNER: [Sql; 2] = [Sql::same(OWNED), CLAIM];
/// tenant, execution, owner
const MOVED: Rows = Rows {
    head: "SELECT e.tenant_id, e.id FROM",
    columns: 3,
    tail: Sql::same(
        "CROSS JOIN executions e ON e.tenant_id = v.column1 AND e.id = v.column2 AND e.owner <> v.column3",
    ),
};
/// tenant, execution
const LOAD: Rows = Rows {
    head: concat!("SELECT ", row_columns!(), ", e.plan_digest FROM"),
    columns: 2,
    tail: Sql::same(
        "CROSS JOIN executions e ON e.tenant_id = v.column1 AND e.id = v.column2 AND e.purged_at IS NULL",
    ),
};
/// tenant, execution
const JOURNALS: Rows = Rows {
    head: "SELECT j.tenant_id, j.execution_id, j.first_seq, j.last_seq, j.events, j.input FROM",
    columns: 2,
    tail: Sql::same(
        "CROSS JOIN journal j ON j.tenant_id = v.column1 AND j.execution_id = v.column2 \
           ORDER BY j.tenant_id, j.execution_id, j.first_seq",
    ),
};

/// What was read of some executions.
#[derive(Debug, Default)]
pub struct Loaded {
    pub stored: Vec<StoredExecution>,
    /// Those with something that this program does not know, or that cannot be.
    pub unread: Vec<Unread>,
}

/// An execution that cannot be rebuilt from what is stored.
#[derive(Debug)]
pub struct Unread {
    pub key: ExecutionKey,
    /// `Corrupt`.
    pub error: Error,
}

impl Platform<'_> {
    /// Makes `owner` the owner of up to `limit` open executions of others whose lease is over, under a new epoch each: who
    /// owned them is fenced from now on. Gives which. All of them are taken over when it returned, or none; nothing is
    /// written where there is nothing to take. What a program left that reads as much as this one is passed over.
    pub async fn claim(&self, owner: &str, limit: u32, now: Timestamp) -> Result<Vec<ExecutionKey>, Error> {
        let mut conn = self.store.read_as(Access::Platform).await?;
        let now = conn.now(now).await?;
        let rows = Query::new(DEAD_OWNERS).bind(now).fetch_all(&mut conn).await?;
        drop(conn);
        let dead: Result<Vec<String>, Error> =
            rows.iter().map(|row| Columns::new(row, "executions").owned()).collect();
        let (owner, mut dead) = (owner.to_owned(), dead?);
        // After a pause this node's own lease may be over, too. What it takes from others must not be taken from it as well:
        // the same execution would come twice, under two epochs.
        dead.retain(|one| *one != owner && Reader::of(one).is_none_or(|reader| reader < Reader::this()));
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(claim(conn, dead, owner, i64::from(limit), now))
        });
        write.await
    }

    /// What a node owns and has not ended, behind a key, in the order of keys.
    pub async fn owned(
        &self,
        owner: &str,
        after: Option<&ExecutionKey>,
        limit: u32,
    ) -> Result<Vec<ExecutionKey>, Error> {
        let (tenant, id) =
            after.map_or_else(Default::default, |key| (key.tenant.to_string(), key.execution.to_string()));
        let query = Query::new(OWNED).bind(owner.to_owned()).bind(tenant).bind(id).bind(i64::from(limit));
        self.ask(query).await?.iter().map(decode).collect()
    }

    /// Those of the given executions that somebody else owns.
    pub async fn moved(&self, keys: &[ExecutionKey], owner: &str) -> Result<Vec<ExecutionKey>, Error> {
        let mut conn = self.store.read_as(Access::Platform).await?;
        let rows = MOVED.read(&mut conn, keys, |query, key| {
            query.bind(key.tenant.to_string()).bind(key.execution.to_string()).bind(owner.to_owned())
        });
        rows.await?.iter().map(decode).collect()
    }

    /// With everything that their state is rebuilt from, in no order. What is not there is left out. One that cannot be
    /// read holds no other back.
    pub async fn load_many(&self, keys: &[ExecutionKey]) -> Result<Loaded, Error> {
        let tenants: BTreeSet<&TenantId> = keys.iter().map(|key| &key.tenant).collect();
        let tenants: Vec<TenantId> = tenants.into_iter().cloned().collect();
        if tenants.is_empty() {
            return Ok(Loaded::default());
        }
        let mut conn = self.store.read_as(Access::Tenants(&tenants)).await?;
        let bind = |query: Query, key: &ExecutionKey| {
            query.bind(key.tenant.to_string()).bind(key.execution.to_string())
        };
        let rows = LOAD.read(&mut conn, keys, bind).await?;
        let mut journals: HashMap<_, Vec<Row>> = HashMap::with_capacity(keys.len());
        for row in JOURNALS.read(&mut conn, keys, bind).await? {
            journals.entry(key(&row, "journal")?).or_default().push(row);
        }
        let mut loaded = Loaded::default();
        for (row, one) in rows.iter().zip(assemble_each(&mut conn, &rows, journals).await?) {
            match one {
                Ok(stored) => loaded.stored.push(stored),
                Err(error) => loaded.unread.push(Unread { key: decode(row)?, error }),
            }
        }
        Ok(loaded)
    }
}

async fn claim(
    conn: &mut Conn,
    dead: Vec<String>,
    owner: String,
    limit: i64,
    now: i64,
) -> Result<Vec<ExecutionKey>, Error> {
    let mut claimed: Vec<ExecutionKey> = Vec::new();
    for one in dead {
        let left = limit - claimed.len() as i64;
        let query = Query::new(CLAIM).bind(owner.clone()).bind(one).bind(now).bind(left);
        for row in &query.fetch_all(&mut *conn).await? {
            claimed.push(decode(row)?);
        }
    }
    Ok(claimed)
}

fn decode(row: &Row) -> Result<ExecutionKey, Error> {
    let mut columns = Columns::new(row, "executions");
    Ok(ExecutionKey { tenant: columns.tenant()?, execution: columns.parsed()? })
}
