//! How many executions take a place under a limit, and who waits for one. Counted from the rows each time: a counter
//! that is kept beside them leaks.

use quantum_core::id::{ExecutionId, IntentUid};

use super::{ExecutionRow, Executions, decode_row, row_columns};
use crate::Error;
use crate::database::{Query, Sql};

pub(crate) mod sql {
    crate::database::statements! {
        /// A child runs in the place of its parent.
        RUNNING = "SELECT count(*) FROM executions WHERE tenant_id = ? AND ended_at IS NULL AND status != 'queued' \
                   AND (origin IS NULL OR json_extract(origin, '$.kind') != 'child')";
        QUEUED_COUNT = "SELECT count(*) FROM executions WHERE tenant_id = ? AND status = 'queued'";
        WITH_KEY = "SELECT tenant_id, id FROM executions WHERE tenant_id = ? AND intent_uid = ? AND concurrency_key = ? \
                    AND ended_at IS NULL AND status != 'queued' ORDER BY id LIMIT ?";
        QUEUED_WITH_KEY = "SELECT tenant_id, id FROM executions WHERE tenant_id = ? AND intent_uid = ? \
                           AND concurrency_key = ? AND ended_at IS NULL AND status = 'queued' ORDER BY id LIMIT ?";
        QUEUED = concat!(
            "SELECT ", super::row_columns!(), " FROM executions e WHERE e.tenant_id = ? AND e.status = 'queued' \
             ORDER BY e.priority DESC, e.id LIMIT ?"
        );
    }
}

impl Executions<'_> {
    /// Those that have started and not ended.
    pub async fn count_running(&self) -> Result<u64, Error> {
        self.count(sql::RUNNING).await
    }

    /// Those that a limit holds back.
    pub async fn count_queued(&self) -> Result<u64, Error> {
        self.count(sql::QUEUED_COUNT).await
    }

    /// Of one intent, started and not ended, with this key; oldest first, at most `limit`.
    pub async fn running_with_key(
        &self,
        intent: IntentUid,
        key: &str,
        limit: u32,
    ) -> Result<Vec<ExecutionId>, Error> {
        self.with_key(sql::WITH_KEY, (intent, key), limit).await
    }

    /// Of one intent, held back, with this key; oldest first, at most `limit`.
    pub async fn queued_with_key(
        &self,
        intent: IntentUid,
        key: &str,
        limit: u32,
    ) -> Result<Vec<ExecutionId>, Error> {
        self.with_key(sql::QUEUED_WITH_KEY, (intent, key), limit).await
    }

    async fn with_key(
        &self,
        statement: Sql,
        (intent, key): (IntentUid, &str),
        limit: u32,
    ) -> Result<Vec<ExecutionId>, Error> {
        let query = Query::new(statement).bind(self.scope.tenant().to_string());
        let query = query.bind(intent.to_string()).bind(key.to_owned()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let id = |row| {
            let mut columns = self.columns(row, "executions")?;
            columns.tenant()?;
            columns.parsed()
        };
        rows.iter().map(id).collect()
    }

    /// In the order in which they start.
    pub async fn queued(&self, limit: u32) -> Result<Vec<ExecutionRow>, Error> {
        let query = Query::new(sql::QUEUED).bind(self.scope.tenant().to_string()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        rows.iter().map(|row| decode_row(&mut self.columns(row, "executions")?)).collect()
    }

    async fn count(&self, statement: Sql) -> Result<u64, Error> {
        let query = Query::new(statement).bind(self.scope.tenant().to_string());
        let row = query.fetch_one(&mut self.store.read(self.scope).await?).await?;
        crate::database::Columns::new(&row, "executions").number()
    }
}
