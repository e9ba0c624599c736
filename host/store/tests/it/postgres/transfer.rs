//! The way from SQLite to PostgreSQL: what comes over, what is found when it did not, and what a crash leaves.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;

use std::time::Duration;

use quantum_store::conformance::{
    answers, commit, create, fill_and_empty, fill_tenant, scope, with_tenants, write_value_with_nul,
};
use quantum_store::{
    Difference, Error, Store, TransferError, TransferOptions, TransferStep, Transferred, transfer,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::{Prepared, prepared};
use crate::{folder, open, opener, options};

/// Tenants with everything, and the text that is in their rows.
const TENANTS: [(&str, &str); 2] = [("t-1", "mine"), ("t-2", "theirs")];
/// As SQLite's schema says; of the text index what PostgreSQL has of it.
const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
    AND name NOT LIKE 'intent_text_%' AND name NOT IN ('schema_migrations', 'nodes', 'leaders')";

/// A data folder whose host was stopped, and what it answered.
struct Filled {
    folder: TempDir,
    answers: Vec<String>,
}

async fn filled() -> Filled {
    let folder = folder();
    let store = with_tenants(&*opener(&folder), &["t-1", "t-2", "t-3"]).await.unwrap();
    for (tenant, text) in TENANTS {
        fill_tenant(&store, tenant, text).await.unwrap();
    }
    fill_and_empty(&store, "t-3").await.unwrap();
    let answers = all_answers(&store).await;
    store.close().await;
    Filled { folder, answers }
}

async fn all_answers(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for (tenant, text) in TENANTS {
        all.push(answers(store, tenant, text).await.unwrap());
    }
    all.push(answers(store, "t-3", "gone").await.unwrap());
    all
}

impl Filled {
    fn to(&self, database: &Prepared) -> TransferOptions {
        TransferOptions::new(options(&self.folder).path, database.options())
    }

    async fn moved(&self, database: &Prepared) -> Result<Transferred, TransferError> {
        transfer(self.to(database), &|_| ()).await
    }

    /// In the file, with the host stopped.
    async fn execute(&self, sql: &'static str) {
        let connect = SqliteConnectOptions::new().filename(options(&self.folder).path);
        let mut conn = connect.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    async fn tables(&self) -> BTreeSet<String> {
        let connect = SqliteConnectOptions::new().filename(options(&self.folder).path).read_only(true);
        let mut conn = connect.immutable(true).connect().await.unwrap();
        let rows = sqlx::query(TABLES).fetch_all(&mut conn).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Names and contents.
    fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.sort();
        files
    }
}

/// Drops a transfer when it has moved this many rows. Gives whether it was not done before.
async fn cut_off(options: TransferOptions, rows: u64) -> bool {
    let (moved, reached) = (Cell::new(0), Notify::new());
    let each = |step| {
        if let TransferStep::Moved(more) = step {
            moved.set(moved.get() + more);
        }
        if moved.get() >= rows {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => true,
        done = transfer(options, &each) => {
            assert_eq!(done.unwrap().differences, []);
            false
        }
    }
}

async fn assert_no_host_starts(database: &Prepared) {
    let refused = Store::connect(database.options()).await.err().unwrap();
    assert!(matches!(refused, Error::Unsafe { .. }), "{refused}");
    assert!(refused.to_string().contains("go on with: quantum migrate --from /"), "{refused}");
}

#[tokio::test]
async fn every_answer_is_the_same_afterwards_and_the_file_is_as_it_was() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    let before = filled.files();
    let report = filled.moved(&database).await.unwrap();
    assert_eq!(filled.files(), before);

    assert_eq!((report.tenants, report.is_continued, &*report.differences), (3, false, &[][..]));
    let names: BTreeSet<String> = report.tables.iter().map(|table| table.name.clone()).collect();
    assert_eq!(names, filled.tables().await);
    for table in &report.tables {
        assert!(table.rows > 0 && table.is_equal(), "{table:?}");
    }
    let moved = Store::connect(database.options()).await.unwrap();
    for (found, expected) in all_answers(&moved).await.iter().zip(&filled.answers) {
        assert_eq!(found, expected);
    }
    moved.journal().commit(commit(&scope("t-1"), 2, 4, 1)).await.expect("executions go on where they were");
    moved.journal().commit(create(&scope("t-3"), 9)).await.expect("and new ones start");
    fill_and_empty(&moved, "t-1").await.unwrap();
}

#[tokio::test]
async fn what_was_cut_off_anywhere_goes_on_and_no_host_starts_before_the_end() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    let mut cuts = 0;
    while cut_off(TransferOptions { page_rows: 1, ..filled.to(&database) }, 3).await {
        cuts += 1;
        assert_no_host_starts(&database).await;
    }
    assert!(cuts > 10, "{cuts}");
    let moved = Store::connect(database.options()).await.unwrap();
    assert_eq!(all_answers(&moved).await, filled.answers);
}

#[tokio::test]
async fn a_row_that_is_not_what_it_was_is_found() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    assert!(cut_off(filled.to(&database), 20).await);
    while cut_off(TransferOptions { page_rows: 2, ..filled.to(&database) }, 30).await {}
    let differences = async |sql: &str| {
        database.query(sql);
        filled.moved(&database).await.unwrap().differences
    };
    let source = fs::canonicalize(filled.folder.path()).unwrap().display().to_string();
    database.query(&format!("INSERT INTO transfers VALUES ('{source}', 0)"));
    let found = |table: &str, tenant: Option<&str>, rows, rows_moved| {
        let tenant = tenant.map(|tenant| scope(tenant).tenant().clone());
        vec![Difference { table: table.into(), tenant, rows, rows_moved }]
    };
    let change = "UPDATE journal SET events = replace(events, '1', '2') \
        WHERE tenant_id = 't-2' AND execution_id LIKE '%2' AND first_seq = 1";
    assert_eq!(differences(change).await, found("journal", Some("t-2"), 3, 3));
    assert_no_host_starts(&database).await;
    let mend = change.replace("'1', '2'", "'2', '1'");
    let sum = "UPDATE kv_spaces SET bytes = bytes + 1 WHERE tenant_id = 't-1'";
    assert_eq!(differences(&format!("{mend}; {sum}")).await, found("kv_spaces", Some("t-1"), 1, 1));
    let mend = "UPDATE kv_spaces SET bytes = bytes - 1 WHERE tenant_id = 't-1'";
    let lost = "DELETE FROM logs WHERE tenant_id = 't-1' AND number = 1";
    assert_eq!(differences(&format!("{mend}; {lost}")).await, found("logs", Some("t-1"), 3, 2));
    let mend = "INSERT INTO logs SELECT 't-1', execution_id, 1, step_id, attempt, at, \
        replace(entry, '\"\"', '\"mine\"') FROM logs WHERE tenant_id = 't-1' AND number = 2";
    let words = "UPDATE intent_text SET words = array_to_tsvector(ARRAY['other']) WHERE tenant_id = 't-1'";
    assert_eq!(differences(&format!("{mend}; {words}")).await, found("intent_text", Some("t-1"), 1, 1));
    assert_eq!(
        differences("DELETE FROM intent_text; INSERT INTO tenants VALUES ('t-4', 'T', 0)").await,
        found("tenants", None, 3, 4)
    );
    assert_eq!(differences("DELETE FROM tenants WHERE id = 't-4'").await, []);
    Store::connect(database.options()).await.expect("both are equal now");
}

#[tokio::test]
async fn a_database_that_has_something_or_is_used_is_left_alone() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    database.query("INSERT INTO nodes VALUES ('1', 'host-1', '0', NULL, 0, app.now() + 3600000, FALSE)");
    let served = filled.moved(&database).await.unwrap_err();
    assert!(
        served.to_string().starts_with("the host \"host-1\" serves the database postgres://"),
        "{served}"
    );
    database.query("DELETE FROM nodes; INSERT INTO transfers VALUES ('/srv/other', 0)");
    let other = filled.moved(&database).await.unwrap_err();
    assert!(other.to_string().contains("quantum migrate --from /srv/other"), "{other}");
    database.query("DELETE FROM transfers; INSERT INTO users VALUES ('ada', 0)");
    let used = filled.moved(&database).await.unwrap_err();
    assert!(used.to_string().contains("is not empty: it has 1 users"), "{used}");
    database.query("INSERT INTO tenants VALUES ('acme', 'A', 0), ('zoo', 'Z', 0)");
    let used = filled.moved(&database).await.unwrap_err();
    assert!(matches!(used, TransferError::NotEmpty { .. }), "{used}");
    assert!(used.to_string().contains("it has 2 tenants, the first of them \"acme\", and 1 users"), "{used}");
    assert_eq!(
        database.query("SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM tenants)"),
        "0|2"
    );
}

#[tokio::test]
async fn two_transfers_do_not_write_to_one_database() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    let mut first = database.connect().await;
    sqlx::query("SELECT pg_advisory_lock(1903520116)").execute(&mut first).await.unwrap();
    let mut second = filled.to(&database);
    second.to.patience = Duration::from_millis(500);
    let refused = transfer(second, &|_| ()).await.unwrap_err();
    assert!(matches!(refused, TransferError::Running { .. }), "{refused}");
    assert_eq!(database.query("SELECT count(*) FROM transfers"), "0");
    first.close().await.unwrap();
    assert_eq!(filled.moved(&database).await.unwrap().differences, []);
}

#[tokio::test]
async fn what_is_only_in_the_write_ahead_log_is_moved_too() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    // As a host that was killed leaves it: the log is not folded in as long as somebody has the file open.
    let killed = open(&filled.folder).await;
    fill_tenant(&killed, "t-3", "late").await.unwrap();
    assert!(fs::metadata(filled.folder.path().join("quantum.db-wal")).unwrap().len() > 0);
    assert_eq!(filled.moved(&database).await.unwrap().differences, []);
    let moved = Store::connect(database.options()).await.unwrap();
    let answers = async |store| answers(store, "t-3", "late").await.unwrap();
    assert_eq!(answers(&moved).await, answers(&killed).await);
}

#[tokio::test]
async fn a_row_that_postgres_does_not_take_is_named() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    let store = open(&filled.folder).await;
    write_value_with_nul(&store, "t-2").await.unwrap();
    store.close().await;
    let refused = filled.moved(&database).await.unwrap_err();
    assert!(matches!(&refused, TransferError::Refused { table, .. } if table == "kv"), "{refused}");
    assert!(refused.to_string().contains(r"move the row t-2 / acme:sync / a\0b of "), "{refused}");
    assert_no_host_starts(&database).await;
    filled.execute("DELETE FROM kv WHERE key LIKE 'a%' AND tenant_id = 't-2'").await;
    let report = filled.moved(&database).await.unwrap();
    assert_eq!((report.is_continued, &*report.differences), (true, &[][..]));
    Store::connect(database.options()).await.expect("all is there").close().await;
}

#[tokio::test]
async fn a_file_of_another_schema_or_none_at_all_is_told_before_anything_is_written() {
    let Some(database) = prepared().await else { return };
    let filled = filled().await;
    filled.execute("UPDATE schema_migrations SET number = 1010 WHERE number = 11").await;
    let newer = filled.moved(&database).await.unwrap_err();
    assert!(matches!(newer, TransferError::NewerSchema { found: 1010, .. }), "{newer}");
    filled.execute("DELETE FROM schema_migrations WHERE number = 1010").await;
    let older = filled.moved(&database).await.unwrap_err();
    assert!(matches!(older, TransferError::OlderSchema { found: 10, known: 11, .. }), "{older}");
    assert!(older.to_string().contains("quantum serve --data-dir /"), "{older}");
    fs::remove_file(options(&filled.folder).path).unwrap();
    let missing = filled.moved(&database).await.unwrap_err();
    assert!(matches!(missing, TransferError::Store(Error::Open { .. })), "{missing}");
    assert_eq!(fs::read_dir(filled.folder.path()).unwrap().count(), 0);
    Store::connect(database.options()).await.expect("nothing was begun").close().await;
}
