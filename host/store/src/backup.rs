//! A copy of the database, taken beside a host that writes to it, and what such a copy says about itself.
//!
//! Nothing is written to the database that is copied, and no lock of it is held that a writer waits for: a reader of
//! the write-ahead log sees one moment, however long it reads. The log cannot be folded meanwhile, so it grows.

use std::path::Path;

use quantum_core::id::Digest;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};

use crate::Error;
use crate::database::{Columns, Row as Found};
use crate::sqlite::{applied_schema, known_schema, reading_connection};

const COPY_OF_DATABASE: &str = "the copy of the database";
const COPY: &str = "VACUUM INTO ?";
/// Findings that are told of a damaged database; there may be thousands.
const INTEGRITY: &str = "PRAGMA integrity_check(3)";
const FOREIGN_KEYS: &str = "PRAGMA foreign_key_check";
const TABLE: &str = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
const COUNTS: &str = "SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM executions), \
     (SELECT count(*) FROM executions WHERE ended_at IS NULL)";
/// Of installations, and of every plan: an execution can be restarted, and replayed with its components.
const COMPONENTS: &str = "SELECT component FROM ( \
     SELECT component FROM installations \
     UNION SELECT json_extract(s.value, '$.action.component') FROM plans p, json_each(p.plan, '$.steps') s \
     UNION SELECT json_extract(s.value, '$.compensate.action.component') \
         FROM plans p, json_each(p.plan, '$.steps') s) \
     WHERE component IS NOT NULL";
const ARTIFACTS: &str = "SELECT DISTINCT digest FROM artifacts";
const TENANT_KEYS: &str = "SELECT count(*) FROM tenant_keys";

/// What a copy of the database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotContents {
    /// Number of its newest migration.
    pub schema: i64,
    pub tenants: u64,
    pub executions: u64,
    /// Of those, the ones that have not ended.
    pub executions_open: u64,
    /// Keys of tenants for their secrets. With one, a host does not start without the master key that it had.
    pub tenant_keys: u64,
    /// Blobs that rows name: components, below `blobs`.
    pub components: Vec<Digest>,
    /// Blobs that rows name, below `artifacts`.
    pub artifacts: Vec<Digest>,
}

/// The newest schema that this program knows.
pub fn newest_schema() -> i64 {
    known_schema()
}

/// Writes everything that is committed by now into a new file, which is not synced yet. Err: `Open`, `Query` (the
/// disk is full, for example).
pub async fn snapshot(database: &Path, into: &Path) -> Result<(), Error> {
    let mut conn = open(database, false).await?;
    let into = into.to_str().ok_or_else(|| unreadable("the path of the copy is not UTF-8".to_owned()))?;
    sqlx::query(COPY).bind(into).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

/// Checks a database that nobody writes to, and counts what is in it. Err: `Open`, `NewerDatabase`, `Corrupt`.
pub async fn snapshot_contents(copy: &Path) -> Result<SnapshotContents, Error> {
    let mut conn = open(copy, true).await?;
    let schema = applied_schema(&mut conn).await?;
    check(&mut conn, COPY_OF_DATABASE).await?;
    let counts = Found::Sqlite(sqlx::query(COUNTS).fetch_one(&mut conn).await?);
    let mut columns = Columns::new(&counts, "tenants");
    let contents = SnapshotContents {
        schema,
        tenants: columns.number()?,
        executions: columns.number()?,
        executions_open: columns.number()?,
        tenant_keys: count_if_there(&mut conn, "tenant_keys", TENANT_KEYS).await?,
        components: digests(found(sqlx::query(COMPONENTS).fetch_all(&mut conn).await?))?,
        artifacts: digests(rows_if_there(&mut conn, "artifacts", ARTIFACTS).await?)?,
    };
    conn.close().await?;
    Ok(contents)
}

async fn open(path: &Path, nobody_writes: bool) -> Result<SqliteConnection, Error> {
    let opened = reading_connection(path, nobody_writes).await;
    let hint = "it must be a database of this program that this user may read";
    opened.map_err(|source| Error::Open { path: path.to_owned(), hint, source })
}

/// Damage that the pages show, and rows whose foreign rows are missing. Err: `Corrupt`, which says `what` it is.
pub(crate) async fn check(conn: &mut SqliteConnection, what: &'static str) -> Result<(), Error> {
    let damaged = |detail: String| Error::Corrupt { what, detail };
    let found = sqlx::query(INTEGRITY).fetch_all(&mut *conn).await?;
    let found: Vec<String> = found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if found != ["ok"] {
        return Err(damaged(found.join("; ")));
    }
    let dangling = sqlx::query(FOREIGN_KEYS).fetch_optional(conn).await?;
    match dangling {
        None => Ok(()),
        Some(row) => {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            Err(damaged(format!("a row of \"{table}\" names one of \"{parent}\" that is not there")))
        }
    }
}

/// A database of an earlier schema does not have every table.
async fn rows_if_there(
    conn: &mut SqliteConnection,
    table: &'static str,
    query: &'static str,
) -> Result<Vec<Found>, Error> {
    if sqlx::query(TABLE).bind(table).fetch_optional(&mut *conn).await?.is_none() {
        return Ok(Vec::new());
    }
    Ok(found(sqlx::query(query).fetch_all(conn).await?))
}

async fn count_if_there(
    conn: &mut SqliteConnection,
    table: &'static str,
    query: &'static str,
) -> Result<u64, Error> {
    let rows = rows_if_there(conn, table, query).await?;
    rows.first().map_or(Ok(0), |row| Columns::new(row, table).number())
}

fn found(rows: Vec<SqliteRow>) -> Vec<Found> {
    rows.into_iter().map(Found::Sqlite).collect()
}

fn digests(rows: Vec<Found>) -> Result<Vec<Digest>, Error> {
    rows.iter().map(|row| Columns::new(row, "digests").parsed()).collect()
}

const fn unreadable(detail: String) -> Error {
    Error::Corrupt { what: COPY_OF_DATABASE, detail }
}
