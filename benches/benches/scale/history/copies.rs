//! Fills a store with copies of finished executions by SQL: running a million would take an hour.
//!
//! A copy is what the engine wrote of its template, under an id and at times of its own.

use std::path::Path;

use quantum_core::id::ExecutionId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

/// Tables that hold an execution, and the column of its id.
const TABLES: [(&str, &str); 3] =
    [("executions", "id"), ("journal", "execution_id"), ("execution_labels", "execution_id")];
/// Ids are UUIDv7: these are older than any that is made today, and greater ones are newer.
const ID: &str = "printf('0198c0de-0000-7000-8000-%012x', n.i)";
/// When things happened to an execution.
const TIMES: [&str; 3] = ["created_at", "started_at", "ended_at"];
/// Milliseconds between one copy and the next.
const APART_MS: u64 = 1_000;

/// The copy of this number.
pub fn id(number: u64) -> ExecutionId {
    ExecutionId::parse(&format!("0198c0de-0000-7000-8000-{number:012x}")).expect("a UUID")
}

/// Copies the templates in turn, so many in all. Nobody else uses the database meanwhile, and a crash destroys it.
pub async fn make(path: &Path, templates: &[ExecutionId], count: u64) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        .pragma("cache_size", "-400000")
        .disable_statement_logging();
    let mut conn = options.connect().await.expect("the database is there");
    run(&mut conn, "CREATE TEMP TABLE turns (number INTEGER PRIMARY KEY, id TEXT)".to_owned()).await;
    for (number, id) in templates.iter().enumerate() {
        run(&mut conn, format!("INSERT INTO turns VALUES ({number}, '{id}')")).await;
    }
    for (table, key) in TABLES {
        copy(&mut conn, (table, key), templates.len(), count).await;
    }
    conn.close().await.expect("the database closes");
    // Otherwise the machine writes gigabytes while the store is measured, and its flushes wait for that.
    std::fs::File::open(path).and_then(|file| file.sync_all()).expect("the disk confirms");
}

/// In the order of ids, which is that of most indexes.
async fn copy(conn: &mut SqliteConnection, (table, key): (&str, &str), turns: usize, count: u64) {
    run(
        conn,
        format!(
            "CREATE TEMP TABLE of_{table} AS SELECT * FROM {table} WHERE {key} IN (SELECT id FROM turns)"
        ),
    )
    .await;
    let columns = columns(conn, table).await;
    let values: Vec<String> = columns.iter().map(|column| value(column, key, count)).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let numbers = format!("n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})");
    let sources = format!(
        "n CROSS JOIN turns ON turns.number = n.i % {turns} CROSS JOIN of_{table} t ON t.{key} = turns.id"
    );
    run(
        conn,
        format!("WITH RECURSIVE {numbers} INSERT INTO {table} ({columns}) SELECT {values} FROM {sources}"),
    )
    .await;
}

fn value(column: &str, key: &str, count: u64) -> String {
    match column {
        _ if column == key => ID.to_owned(),
        _ if TIMES.contains(&column) => format!("t.{column} - ({count} - n.i) * {APART_MS}"),
        _ => format!("t.{column}"),
    }
}

async fn columns(conn: &mut SqliteConnection, table: &str) -> Vec<String> {
    let query = sqlx::query("SELECT name FROM pragma_table_info(?)").bind(table.to_owned());
    let rows = query.fetch_all(conn).await.expect("the database reads");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn run(conn: &mut SqliteConnection, sql: String) {
    sqlx::query(AssertSqlSafe(sql)).execute(conn).await.expect("the database writes");
}
