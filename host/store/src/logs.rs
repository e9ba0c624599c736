//! Log lines and progress of attempts: written in batches beside the journal, and never waited for by it.

use std::collections::HashMap;

use quantum_core::id::{ExecutionId, StepId};
use quantum_core::port::LogLine;
use tokio::sync::oneshot;

use crate::database::{Columns, Conn, Dialect, Query, Row, Rows, Sql};
use crate::scope::TenantScope;
use crate::store::Store;
use crate::writer::stopped;
use crate::{Error, Unavailable};

/// Lines of one transaction: the commits behind them wait that long. Larger batches are split.
const LINES_MAX: usize = 1_000;

/// Which lines of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    pub execution: ExecutionId,
    pub step: Option<StepId>,
    /// `number` of the last line that is known; 0 for all.
    pub after: u64,
    pub limit: u32,
}

/// A line with its place in the execution's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    /// From 1, in the order of writing.
    pub number: u64,
    pub line: LogLine,
}

/// The logs of all executions.
pub struct Logs<'a> {
    pub(crate) store: &'a Store,
}

/// Lines with the one who waits for them.
pub(crate) struct PendingLines {
    pub lines: Vec<LogLine>,
    pub reply: oneshot::Sender<Result<(), Unavailable>>,
}

pub(crate) mod sql {
    crate::database::statements! {
        LIST = "SELECT tenant_id, execution_id, number, step_id, attempt, at, entry FROM logs \
                WHERE tenant_id = ?1 AND execution_id = ?2 AND number > ?3 AND (?4 IS NULL OR step_id = ?4) \
                ORDER BY number LIMIT ?5";
        LAST_NUMBER = "SELECT max(number) FROM logs WHERE tenant_id = ?1 AND execution_id = ?2";
    }
}

/// tenant, execution
const LAST_NUMBERS: Rows = Rows {
    head: "SELECT v.column1, v.column2, (SELECT max(number) FROM logs \
           WHERE tenant_id = v.column1 AND execution_id = v.column2) FROM",
    columns: 2,
    tail: Sql::same("WHERE v.column1 IS NOT NULL"),
};

/// As the columns of the table. Lines of a tenant that does not exist are left out: nobody could read them.
const INSERT: Rows = Rows {
    head: "INSERT INTO logs (tenant_id, execution_id, number, step_id, attempt, at, entry) SELECT v.* FROM",
    columns: 7,
    tail: Sql::same("WHERE EXISTS (SELECT 1 FROM tenants WHERE id = v.column1)"),
};

impl Logs<'_> {
    /// Returns when the lines are durable. Lines of several tenants and executions may be mixed.
    pub async fn append(&self, mut lines: Vec<LogLine>) -> Result<(), Error> {
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(LINES_MAX));
            let (reply, answer) = oneshot::channel();
            self.store.writer.send_lines(PendingLines { lines, reply }).await?;
            answer.await.map_err(|_| stopped())??;
            lines = rest;
        }
        Ok(())
    }

    /// In the order of writing.
    pub async fn list(&self, scope: &TenantScope, filter: &LogFilter) -> Result<Vec<LogRow>, Error> {
        let query = Query::new(sql::LIST)
            .bind(scope.tenant().to_string())
            .bind(filter.execution.to_string())
            .bind(filter.after.cast_signed())
            .bind(filter.step.as_ref().map(ToString::to_string))
            .bind(i64::from(filter.limit));
        let rows = query.fetch_all(&mut self.store.read(scope).await?).await?;
        rows.iter().map(|row| decode(Columns::scoped(row, "logs", scope, &self.store.counters)?)).collect()
    }

    /// 0: there is none.
    pub async fn last_number(&self, scope: &TenantScope, execution: &ExecutionId) -> Result<u64, Error> {
        let query = Query::new(sql::LAST_NUMBER).bind(scope.tenant().to_string()).bind(execution.to_string());
        let row = query.fetch_one(&mut self.store.read(scope).await?).await?;
        Ok(row.int_or_null(0)?.unwrap_or(0).cast_unsigned())
    }
}

/// Numbers the lines behind those that are there, and writes them, in the writer's transaction.
pub(crate) async fn write(conn: &mut Conn, lines: &[LogLine]) -> Result<(), sqlx::Error> {
    let mut last: HashMap<(String, String), i64> = lines.iter().map(|line| (key(line), 0)).collect();
    let keys: Vec<_> = last.keys().cloned().collect();
    let known =
        LAST_NUMBERS.read(conn, &keys, |query, key| query.bind(key.0.clone()).bind(key.1.clone())).await?;
    for row in &known {
        let number = row.int_or_null(2)?;
        last.insert((text(row, 0)?, text(row, 1)?), number.unwrap_or(0));
    }
    let numbered: Vec<_> = lines.iter().map(|line| (line, next(&mut last, line))).collect();
    INSERT.write(conn, &numbered, bind).await.map(drop)
}

fn key(line: &LogLine) -> (String, String) {
    (line.tenant.to_string(), line.execution.to_string())
}

fn text(row: &Row, at: usize) -> Result<String, sqlx::Error> {
    row.text(at).map(str::to_owned)
}

fn next(last: &mut HashMap<(String, String), i64>, line: &LogLine) -> i64 {
    let number = last.entry(key(line)).or_default();
    *number += 1;
    *number
}

fn bind(query: Query, (line, number): &(&LogLine, i64)) -> Query {
    query
        .bind(line.tenant.to_string())
        .bind(line.execution.to_string())
        .bind(*number)
        .bind(line.step.to_string())
        .bind(i64::from(line.attempt))
        .bind(line.at.as_millis())
        .bind(serde_json::json!(line.entry).to_string())
}

fn decode(mut columns: Columns<'_>) -> Result<LogRow, Error> {
    let (tenant, execution) = (columns.tenant()?, columns.parsed()?);
    let number = columns.number()?;
    let (step, attempt, at) = (columns.parsed()?, columns.number()?, columns.time()?);
    Ok(LogRow { number, line: LogLine { tenant, execution, step, attempt, at, entry: columns.json()? } })
}

/// For the registry.
pub(crate) fn shapes(dialect: Dialect) -> Vec<String> {
    [&LAST_NUMBERS, &INSERT].iter().flat_map(|rows| rows.shapes(dialect)).collect()
}
