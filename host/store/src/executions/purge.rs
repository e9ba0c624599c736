//! Removing executions that are over their time, in two parts. `purge` marks them, in one transaction that decides once
//! more whether they may go: from then on nobody sees them. `sweep` removes the rows of what was marked, so many a
//! write: an execution can have more rows than the writer may be held for.
//!
//! Answers of idempotency keys are not touched: they go by their own time, which is over before that of an execution.

use quantum_core::id::{Digest, ExecutionId, TenantId};
use quantum_core::time::Timestamp;

use super::{ExecutionRow, Executions, decode_row, row_columns};
use crate::Error;
use crate::artifacts::release;
use crate::database::{Columns, Conn, Dialect, Query, Row, Sql};

/// An execution among those that have ended: by when, and by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndKey {
    pub ended_at: Timestamp,
    pub id: ExecutionId,
}

/// Of an execution `e` that may go: it ended at `?2` or before, and nothing that has not ended needs it. An open parent
/// starts a child anew that its log names and that is not there; a child asks for its parent; a replay that is still
/// queued begins with results of what it replays. (`+e.id`: the index knows no type, and is used for values without one.)
macro_rules! may_go {
    () => {
        "e.ended_at IS NOT NULL AND e.ended_at <= ?2 AND e.purged_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM executions p WHERE p.tenant_id = ?1 \
             AND p.id = json_extract(e.origin, '$.parent') AND p.ended_at IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM executions c INDEXED BY executions_origin WHERE c.tenant_id = ?1 AND c.ended_at IS NULL \
             AND c.origin IS NOT NULL \
             AND coalesce(json_extract(c.origin, '$.parent'), json_extract(c.origin, '$.of')) = +e.id)"
    };
}

/// Rows of a table that belong to what was marked: `keys` of `table`, called `r`.
macro_rules! of_purged {
    ($table:literal, $keys:literal, $of:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id = ?1 AND (",
            $keys,
            ") IN (SELECT ",
            $of,
            " FROM executions e \
             INDEXED BY executions_purged CROSS JOIN ",
            $table,
            " r ON r.tenant_id = e.tenant_id AND r.execution_id = e.id \
             WHERE e.tenant_id = ?1 AND e.purged_at IS NOT NULL LIMIT ?2)"
        )
    };
}

pub(crate) mod sql {
    crate::database::statements! {
        EXPIRED = concat!(
            "SELECT ", super::row_columns!(), " FROM executions e WHERE e.tenant_id = ?1 \
             AND (e.ended_at, e.id) > (?3, ?4) AND ", may_go!(), " ORDER BY e.ended_at, e.id LIMIT ?5"
        );
        STILL = concat!(
            "SELECT count(*) FROM json_each(?3) given CROSS JOIN executions e \
             ON e.tenant_id = ?1 AND e.id = given.value WHERE ", may_go!()
        );
        /// On PostgreSQL, where others write meanwhile.
        LOCK = "SELECT e.id FROM executions e WHERE e.tenant_id = ?1 AND e.id IN \
                (SELECT given.value FROM json_each(?2) given) ORDER BY e.id",
            postgres: "SELECT e.id FROM executions e WHERE e.tenant_id = ?1 AND e.id IN \
                (SELECT given.value FROM json_each(?2) given) ORDER BY e.id FOR UPDATE";
        MARK = "UPDATE executions SET purged_at = ?3 WHERE tenant_id = ?1 \
                AND id IN (SELECT given.value FROM json_each(?2) given)";
        MARKED = "SELECT EXISTS (SELECT 1 FROM executions INDEXED BY executions_purged WHERE tenant_id = ? AND purged_at IS NOT NULL)";
        LOGS = of_purged!("logs", "execution_id, number", "r.execution_id, r.number");
        JOURNAL = of_purged!("journal", "execution_id, first_seq", "r.execution_id, r.first_seq");
        LABELS = of_purged!(
            "execution_labels", "execution_id, key, value", "r.execution_id, r.key, r.value"
        );
        NAMES = concat!(
            of_purged!("artifact_names", "execution_id, name", "r.execution_id, r.name"),
            " RETURNING tenant_id, digest"
        );
        /// Only after there is nothing more in the tables above.
        ROWS = "DELETE FROM executions WHERE tenant_id = ?1 AND id IN (SELECT e.id FROM executions e \
                INDEXED BY executions_purged WHERE e.tenant_id = ?1 AND e.purged_at IS NOT NULL LIMIT ?2) RETURNING tenant_id, plan_digest";
        PLAN = "DELETE FROM plans WHERE tenant_id = ?1 AND digest = ?2 AND NOT EXISTS \
                (SELECT 1 FROM executions e WHERE e.tenant_id = ?1 AND e.plan_digest = ?2)";
    }
}

impl Executions<'_> {
    /// Those that ended at `cut` or before and that nothing open needs, behind `after`, the earliest end first.
    pub async fn expired(
        &self,
        cut: Timestamp,
        after: Option<EndKey>,
        limit: u32,
    ) -> Result<Vec<ExecutionRow>, Error> {
        let (ended_at, id) =
            after.map_or((i64::MIN, String::new()), |key| (key.ended_at.as_millis(), key.id.to_string()));
        let query = Query::new(sql::EXPIRED).bind(self.scope.tenant().to_string()).bind(cut.as_millis());
        let query = query.bind(ended_at).bind(id).bind(i64::from(limit));
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        rows.iter().map(|row| decode_row(&mut self.columns(row, "executions")?)).collect()
    }

    /// Removes all of them or none: nobody sees them once it returned true. False: nothing has changed, because by now
    /// one of them is not there, has not ended at `cut` or before, or is needed by something open. Before it returns,
    /// all of them are there or none. What is left of them is for `sweep`.
    pub async fn purge(&self, ids: &[ExecutionId], cut: Timestamp, at: Timestamp) -> Result<bool, Error> {
        let (tenant, count) = (self.scope.tenant().to_string(), ids.len());
        let given = serde_json::json!(ids).to_string();
        let still = Query::new(sql::STILL).bind(tenant.clone()).bind(cut.as_millis()).bind(given.clone());
        let lock = Query::new(sql::LOCK).bind(tenant.clone()).bind(given.clone());
        let mark = Query::new(sql::MARK).bind(tenant).bind(given).bind(at.as_millis());
        let write = self.store.write(self.scope, move |conn| {
            Box::pin(async move {
                if conn.dialect() == Dialect::Postgres {
                    lock.fetch_all(&mut *conn).await?;
                }
                let row = still.fetch_one(&mut *conn).await?;
                let all = Columns::new(&row, "executions").number::<usize>()? == count;
                if all {
                    mark.execute(conn).await?;
                }
                Ok(all)
            })
        });
        write.await
    }

    /// Removes up to `limit` rows of what was purged, and gives how many: 0 when nothing is left. What its artifacts
    /// names held is released `at`.
    pub async fn sweep(&self, at: Timestamp, limit: u32) -> Result<u64, Error> {
        let query = Query::new(sql::MARKED).bind(self.scope.tenant().to_string());
        let row = query.fetch_one(&mut self.store.read(self.scope).await?).await?;
        if !Columns::new(&row, "executions").flag()? {
            return Ok(0);
        }
        let tenant = self.scope.tenant().clone();
        self.store.write(self.scope, move |conn| Box::pin(sweep(conn, tenant, at, u64::from(limit)))).await
    }
}

/// In the order of the foreign keys; each table gets what the ones before it left of the limit.
async fn sweep(conn: &mut Conn, tenant: TenantId, at: Timestamp, limit: u64) -> Result<u64, Error> {
    let mut removed = 0;
    for statement in [sql::LOGS, sql::JOURNAL, sql::LABELS] {
        removed += part(statement, &tenant, limit - removed).execute(&mut *conn).await?;
    }
    // All rows of what returns some: a statement has run only when it was read to its end.
    let names = part(sql::NAMES, &tenant, limit - removed).fetch_all(&mut *conn).await?;
    for row in &names {
        release(conn, &tenant, &digest_of(row, "artifact_names")?, at).await?;
    }
    removed += names.len() as u64;
    // INVARIANT: with a place left, the tables above hold nothing more of what was purged.
    let rows = part(sql::ROWS, &tenant, limit - removed).fetch_all(&mut *conn).await?;
    for row in &rows {
        let plan = digest_of(row, "executions")?;
        Query::new(sql::PLAN).bind(tenant.to_string()).bind(plan.to_string()).execute(&mut *conn).await?;
    }
    Ok(removed + rows.len() as u64)
}

fn part(statement: Sql, tenant: &TenantId, limit: u64) -> Query {
    Query::new(statement).bind(tenant.to_string()).bind(limit.cast_signed())
}

/// Of a row of tenant and digest.
fn digest_of(row: &Row, table: &'static str) -> Result<Digest, Error> {
    let mut columns = Columns::new(row, table);
    columns.tenant()?;
    columns.parsed()
}
