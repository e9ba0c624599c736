//! What a start reads and sets, and what an operator's maintenance does.

use std::collections::HashMap;

use quantum_core::id::{Digest, TenantId};
use quantum_core::time::Timestamp;

use super::Platform;
use crate::Error;
use crate::database::{Columns, Conn, Dialect, Query, Row, Sql};
use crate::executions::{ExecutionKey, StoredExecution, decode_row, row_columns, unpack};
use crate::idempotency::KEPT_MS;
use crate::installations::{self, Installation};
use crate::journal::SharedPlan;

const INSTALLATIONS: Sql = Sql::each(
    concat!("SELECT ", installations::columns!(), " FROM installations ORDER BY tenant_id, plugin, version"),
    concat!(
        "SELECT ",
        installations::columns!(),
        " FROM installations WHERE tenant_id = ANY (app.tenants()) \
         ORDER BY tenant_id, plugin, version"
    ),
);
/// The tenants of a page.
const OPEN_KEYS: &str = "SELECT e.tenant_id FROM executions e WHERE e.ended_at IS NULL \
     AND (e.tenant_id, e.id) > (?, ?) ORDER BY e.tenant_id, e.id LIMIT ?";
const OPEN: Sql = Sql::same(concat!(
    "SELECT ",
    row_columns!(),
    ", e.plan_digest FROM executions e WHERE e.ended_at IS NULL AND (e.tenant_id, e.id) > (?, ?) \
     ORDER BY e.tenant_id, e.id LIMIT ?"
));
/// Of all executions between two keys that have not ended.
const JOURNALS: &str = "SELECT j.tenant_id, j.execution_id, j.first_seq, j.last_seq, j.events, j.input \
     FROM executions e JOIN journal j ON j.tenant_id = e.tenant_id AND j.execution_id = e.id \
     WHERE e.ended_at IS NULL AND (e.tenant_id, e.id) >= (?, ?) AND (e.tenant_id, e.id) <= (?, ?) \
     ORDER BY j.tenant_id, j.execution_id, j.first_seq";
const PLAN: &str = "SELECT plan FROM plans WHERE tenant_id = ? AND digest = ?";
const PURGE: &str = "DELETE FROM idempotency_keys WHERE at <= ?";
const WITH_OLD_KEYS: &str = "SELECT DISTINCT tenant_id FROM idempotency_keys WHERE at <= ?";
const PURGE_OF_TENANT: &str = "DELETE FROM idempotency_keys WHERE tenant_id = ?1 AND at <= ?2";

impl Platform<'_> {
    /// Of all tenants, for the directory in memory.
    pub async fn installations(&self) -> Result<Vec<Installation>, Error> {
        let rows = self.all(&Query::new(INSTALLATIONS)).await?;
        rows.iter().map(|row| installations::decode(Columns::new(row, "installations"))).collect()
    }

    /// Executions that have not ended, ordered by key, with everything that their state is rebuilt from.
    pub async fn open_executions(
        &self,
        after: Option<ExecutionKey>,
        limit: u32,
    ) -> Result<Vec<StoredExecution>, Error> {
        let (tenant, id) =
            after.map_or_else(Default::default, |key| (key.tenant.to_string(), key.execution.to_string()));
        let page = |query: Query| query.bind(tenant.clone()).bind(id.clone()).bind(i64::from(limit));
        let Some(mut conn) = self.read_found(page(Query::new(OPEN_KEYS))).await? else {
            return Ok(Vec::new());
        };
        let rows = page(Query::new(OPEN)).fetch_all(&mut conn).await?;
        let journals = journals(&mut conn, &rows).await?;
        assemble(&mut conn, &rows, journals).await
    }

    /// Removes the answers older than 24 hours. Gives how many there were.
    pub async fn purge_idempotency(&self, now: Timestamp) -> Result<u64, Error> {
        let oldest = now.as_millis().saturating_sub_unsigned(KEPT_MS);
        let of_tenant = |tenant: &TenantId| Query::new(PURGE_OF_TENANT).bind(tenant.to_string()).bind(oldest);
        let found = Query::new(WITH_OLD_KEYS).bind(oldest);
        self.sweep(Query::new(PURGE).bind(oldest), found, of_tenant).await
    }

    /// Folds SQLite's write-ahead log into the database file, as far as no reader needs it.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        if self.store.dialect() == Dialect::Sqlite {
            self.ask(Query::new("PRAGMA wal_checkpoint(PASSIVE)")).await?;
        }
        Ok(())
    }
}

/// Rows with the digest of their plan, and the journal rows of each. Err: also when one of them cannot be read.
async fn assemble(
    conn: &mut Conn,
    rows: &[Row],
    journals: HashMap<(String, String), Vec<Row>>,
) -> Result<Vec<StoredExecution>, Error> {
    assemble_each(conn, rows, journals).await?.into_iter().collect()
}

/// As `assemble`, each by itself: `Corrupt` is of one of them alone.
pub(super) async fn assemble_each(
    conn: &mut Conn,
    rows: &[Row],
    mut journals: HashMap<(String, String), Vec<Row>>,
) -> Result<Vec<Result<StoredExecution, Error>>, Error> {
    let mut plans = HashMap::new();
    let mut each = Vec::with_capacity(rows.len());
    for row in rows {
        let journal = journals.remove(&key(row, "executions")?).unwrap_or_default();
        each.push(match assemble_one(conn, &mut plans, row, &journal).await {
            Err(error) if !matches!(error, Error::Corrupt { .. }) => return Err(error),
            one => one,
        });
    }
    Ok(each)
}

async fn assemble_one(
    conn: &mut Conn,
    plans: &mut HashMap<(TenantId, Digest), SharedPlan>,
    row: &Row,
    journal: &[Row],
) -> Result<StoredExecution, Error> {
    let mut columns = Columns::new(row, "executions");
    let row = decode_row(&mut columns)?;
    let plan = plan(conn, plans, &row.tenant, columns.parsed()?).await?;
    let (events, input) = unpack(journal, row.version)?;
    Ok(StoredExecution { row, plan, input, events })
}

/// The journal rows of a page, by execution.
async fn journals(conn: &mut Conn, page: &[Row]) -> Result<HashMap<(String, String), Vec<Row>>, Error> {
    let mut by_execution: HashMap<_, Vec<_>> = HashMap::with_capacity(page.len());
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(by_execution) };
    let (from, to) = (key(first, "executions")?, key(last, "executions")?);
    let query = Query::new(JOURNALS).bind(from.0).bind(from.1).bind(to.0).bind(to.1);
    for row in query.fetch_all(conn).await? {
        by_execution.entry(key(&row, "journal")?).or_default().push(row);
    }
    Ok(by_execution)
}

/// Many executions share a plan; it is read once a page.
async fn plan(
    conn: &mut Conn,
    read: &mut HashMap<(TenantId, Digest), SharedPlan>,
    tenant: &TenantId,
    digest: Digest,
) -> Result<SharedPlan, Error> {
    let key = (tenant.clone(), digest.clone());
    if let Some(plan) = read.get(&key) {
        return Ok(plan.clone());
    }
    let row = Query::new(PLAN).bind(tenant.to_string()).bind(digest.to_string()).fetch_one(conn).await?;
    let plan = SharedPlan::stored(digest, Columns::new(&row, "plans").text()?.into());
    read.insert(key, plan.clone());
    Ok(plan)
}

pub(super) fn key(row: &Row, table: &'static str) -> Result<(String, String), Error> {
    let mut columns = Columns::new(row, table);
    Ok((columns.owned()?, columns.owned()?))
}
