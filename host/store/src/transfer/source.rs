//! The database that is read: a file that nobody writes to, as it is at one moment.

use std::path::{Path, PathBuf};

use futures::{Stream, TryStreamExt};
use quantum_core::id::TenantId;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::error::TransferError;
use super::schema::Table;
use crate::Error;
use crate::backup::check;
use crate::database::{Columns, Row};
use crate::sqlite::{applied_schema, known_schema, reading_connection};

/// Tenants that are known by name at a time.
const TENANTS: &str = "SELECT id FROM tenants WHERE id > ? ORDER BY id LIMIT 500";
/// Generated columns are not among them.
const COLUMNS: &str = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' ORDER BY 1, 2";

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Text(String),
    Int(i64),
}

pub(super) struct Source {
    pub(super) conn: SqliteConnection,
}

impl Source {
    /// Err: `OlderSchema`, `NewerSchema`, and of the store `Open`, `NewerDatabase`, `Corrupt`.
    pub async fn open(path: &Path) -> Result<Self, TransferError> {
        // A log that was not folded in is read, too; without one, no file is made.
        let is_whole = !log_of(path).exists();
        let hint = "it must be a database of this program that this user may read";
        let opened = reading_connection(path, is_whole).await;
        let mut conn = opened.map_err(|source| Error::Open { path: path.to_owned(), hint, source })?;
        let (found, known, path) = (applied_schema(&mut conn).await?, known_schema(), path.to_owned());
        if found < known {
            return Err(TransferError::OlderSchema { path, found, known });
        }
        if found > known {
            return Err(TransferError::NewerSchema { path, found, known });
        }
        check(&mut conn, "the database of the data folder").await?;
        // From here on one moment is read.
        sqlx::query("BEGIN").execute(&mut conn).await?;
        Ok(Self { conn })
    }

    /// Names of tables, with those of their columns.
    pub async fn columns(&mut self) -> Result<Vec<(String, String)>, TransferError> {
        let rows = sqlx::query(COLUMNS).fetch_all(&mut self.conn).await?;
        let columns = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        Ok(columns.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Those after one, by id. None left: there are no more.
    pub async fn tenants(&mut self, after: Option<&TenantId>) -> Result<Vec<TenantId>, TransferError> {
        let after = after.map_or("", TenantId::as_str);
        let rows = sqlx::query(TENANTS).bind(after).fetch_all(&mut self.conn).await?;
        let tenants = rows.into_iter().map(|row| Columns::new(&Row::Sqlite(row), "tenants").tenant());
        Ok(tenants.collect::<Result<_, Error>>()?)
    }

    /// The rows of a tenant, or of a table that has none, behind a key. They are read as they are asked for.
    pub fn rows<'s>(
        &'s mut self,
        table: &Table,
        tenant: Option<&TenantId>,
        after: Option<Vec<Place>>,
    ) -> impl Stream<Item = Result<Row, sqlx::Error>> + Unpin + 's {
        let mut query = sqlx::query(AssertSqlSafe(table.select('?', after.is_some())));
        if let Some(tenant) = tenant {
            query = query.bind(tenant.to_string());
        }
        for place in after.into_iter().flatten() {
            query = match place {
                Place::Text(text) => query.bind(text),
                Place::Int(number) => query.bind(number),
            };
        }
        query.fetch(&mut self.conn).map_ok(Row::Sqlite)
    }
}

/// SQLite's name for it.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}
