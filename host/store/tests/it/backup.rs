//! Copies of a database beside a store that writes, and what is found in damaged ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quantum_core::port::BoxFuture;
use quantum_store::conformance::{create, scope, with_tenants};
use quantum_store::{Error, Store, StoreOptions, newest_schema, snapshot, snapshot_contents};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::{folder, open, options};

/// Executions that are there before the copy.
const BEFORE: u64 = 100;

async fn store(folder: &TempDir) -> Store {
    let options = options(folder);
    let opened = move || -> BoxFuture<'static, _> { Box::pin(Store::open(options.clone())) };
    with_tenants(&opened, &["t-1"]).await.unwrap()
}

async fn execute(folder: &TempDir, sql: &'static str) {
    let connect = SqliteConnectOptions::new().filename(options(folder).path).foreign_keys(false);
    let mut conn = connect.connect().await.expect("a database");
    sqlx::raw_sql(sql).execute(&mut conn).await.expect("a statement");
    conn.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_beside_a_writer_holds_what_was_committed_before() {
    let folder = folder();
    let store = store(&folder).await;
    let scope = scope("t-1");
    for number in 0..BEFORE {
        store.journal().commit(create(&scope, number)).await.unwrap();
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let writing = {
        let (store, scope, stopping) = (store.clone(), scope.clone(), stopping.clone());
        tokio::spawn(async move {
            let mut number = BEFORE;
            while !stopping.load(Ordering::SeqCst) {
                store.journal().commit(create(&scope, number)).await.unwrap();
                number += 1;
            }
            number
        })
    };
    let copy = folder.path().join("copy.db");
    snapshot(&options(&folder).path, &copy).await.unwrap();
    stopping.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    store.close().await;

    let contents = snapshot_contents(&copy).await.unwrap();
    assert_eq!((contents.schema, contents.tenants), (newest_schema(), 1));
    assert!((BEFORE..=written).contains(&contents.executions), "{contents:?}");
    assert_eq!(contents.executions_open, contents.executions);
    let copied = Store::open(StoreOptions::new(copy)).await.unwrap();
    let open = copied.platform().open_executions(None, 100_000).await.unwrap();
    assert_eq!(open.len() as u64, contents.executions);
}

#[tokio::test]
async fn a_copy_is_not_written_over_and_a_missing_database_is_not_made() {
    let folder = folder();
    store(&folder).await.close().await;
    let (path, copy) = (options(&folder).path, folder.path().join("copy.db"));
    std::fs::write(&copy, "something").unwrap();
    assert!(matches!(snapshot(&path, &copy).await, Err(Error::Query(_))));
    assert_eq!(std::fs::read(&copy).unwrap(), b"something");
    let nowhere = folder.path().join("nowhere.db");
    let missing = snapshot(&nowhere, &folder.path().join("other.db")).await;
    assert!(matches!(missing, Err(Error::Open { .. })), "{missing:?}");
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn a_row_without_the_one_that_it_names_is_found() {
    let folder = folder();
    store(&folder).await.close().await;
    execute(&folder, "INSERT INTO plans VALUES ('nobody', 'sha256:00', '{}')").await;
    let error = snapshot_contents(&options(&folder).path).await.unwrap_err();
    let told = "read the copy of the database: a row of \"plans\" names one of \"tenants\" that is not there";
    assert_eq!(error.to_string(), told);
}

#[tokio::test]
async fn a_damaged_page_is_found() {
    let folder = folder();
    let store = store(&folder).await;
    store.journal().commit(create(&scope("t-1"), 0)).await.unwrap();
    store.close().await;
    let path = options(&folder).path;
    let mut bytes = std::fs::read(&path).unwrap();
    // The header of a page in the middle says that it is no page.
    let at = bytes.len() / 4096 / 2 * 4096;
    bytes[at] = 0xff;
    std::fs::write(&path, bytes).unwrap();
    let error = snapshot_contents(&path).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. } | Error::Query(_)), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_not_judged() {
    let folder = folder();
    open(&folder).await.close().await;
    let newer = "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (99, 'x', 99, '9.0.0')";
    execute(&folder, newer).await;
    let error = snapshot_contents(&options(&folder).path).await.unwrap_err();
    assert!(matches!(error, Error::NewerDatabase { found: 99, .. }), "{error}");
}
