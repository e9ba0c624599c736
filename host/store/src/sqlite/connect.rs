//! Connections: one that writes, a few that read, and what SQLite's error codes mean.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use crate::StoreOptions;

/// How long a statement waits for another process that holds the lock (a backup, for example). Then it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection: multi-row statements come in up to nine sizes each.
const STATEMENTS_KEPT: usize = 256;

/// Pages of the write-ahead log after which a commit folds it into the database: 16 MiB, so that it happens rarely.
const CHECKPOINT_PAGES: &str = "4000";

/// Bytes of a page, as the quota counts them.
const PAGE_BYTES: u64 = 4096;

pub(crate) async fn writer_connection(options: &StoreOptions) -> Result<SqliteConnection, sqlx::Error> {
    let mut connect = base(options)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .page_size(PAGE_BYTES as u32)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    if let Some(bytes_max) = options.bytes_max {
        connect = connect.pragma("max_page_count", (bytes_max / PAGE_BYTES).max(1).to_string());
    }
    connect.connect().await
}

/// Connections that cannot write. Opened when they are first needed.
pub(crate) fn reader_pool(options: &StoreOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(options.readers.max(1))
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(base(options).pragma("query_only", "ON"))
}

/// One connection that changes nothing, beside whatever process has the database open. `nobody_writes`: the file is
/// whole as it is, so that neither locks nor files beside it are made.
pub(crate) async fn reading_connection(
    path: &Path,
    nobody_writes: bool,
) -> Result<SqliteConnection, sqlx::Error> {
    let connect = SqliteConnectOptions::new().filename(path).read_only(true).immutable(nobody_writes);
    connect.busy_timeout(BUSY_TIMEOUT).disable_statement_logging().connect().await
}

fn base(options: &StoreOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging()
}
