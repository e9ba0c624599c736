//! Opening: new files, newer databases, files that are no database, a disk that is full.

use quantum_store::conformance::{commit, create, execution_id, scope, with_tenants};
use quantum_store::{CommitError, Error, Health, Store, StoreOptions};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use crate::{folder, open, options};

async fn execute(options: &StoreOptions, sql: &'static str) {
    let mut conn = SqliteConnectOptions::new().filename(&options.path).connect().await.expect("a database");
    sqlx::query(sql).execute(&mut conn).await.expect("a statement");
}

#[tokio::test]
async fn a_database_that_needs_a_newer_program_is_refused_and_says_which() {
    let folder = folder();
    open(&folder).await.close().await;
    let newer = "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (1000, 'x', 1000, '0.9.0')";
    execute(&options(&folder), newer).await;
    let error = Store::open(options(&folder)).await.err().unwrap();
    assert!(matches!(error, Error::NewerDatabase { found: 1000, .. }), "{error}");
    assert!(error.to_string().contains("start quantum 0.9.0 or newer"), "{error}");
}

#[tokio::test]
async fn a_newer_database_that_this_program_may_run_beside_is_opened() {
    let folder = folder();
    open(&folder).await.close().await;
    let newer = "INSERT INTO schema_migrations (number, name, oldest_schema, oldest_binary) VALUES (1000, 'x', 1, '0.1.0')";
    execute(&options(&folder), newer).await;
    open(&folder).await.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_its_path() {
    let folder = folder();
    std::fs::write(options(&folder).path, b"something else, longer than a header of sixteen bytes").unwrap();
    let error = Store::open(options(&folder)).await.err().unwrap();
    assert!(error.to_string().contains("quantum.db"), "{error}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_loses_nothing_and_heals_when_there_is_space() {
    let folder = folder();
    let small = StoreOptions { bytes_max: Some(512 * 1024), ..options(&folder) };
    let opened = {
        let small = small.clone();
        move || -> quantum_core::port::BoxFuture<'static, _> { Box::pin(Store::open(small.clone())) }
    };
    let store = with_tenants(&opened, &["t-1"]).await.unwrap();
    let scope = scope("t-1");
    let journal = store.journal();
    let mut accepted = 0;
    let refused = loop {
        let mut large = create(&scope, accepted);
        large.create.as_mut().unwrap().input = format!("\"{}\"", "x".repeat(50_000));
        match journal.commit(large).await {
            Ok(_) => accepted += 1,
            Err(refused) => break refused,
        }
        assert!(accepted < 100, "the limit holds");
    };
    assert!(matches!(refused, CommitError::Unavailable(_)), "{refused}");
    assert!(refused.to_string().contains("no space is left"), "{refused}");
    assert!(matches!(store.health(), Health::Degraded { .. }));
    let read = store.executions(&scope).load(&execution_id(accepted - 1)).await.unwrap();
    assert!(read.is_some(), "what was accepted can be read meanwhile");
    journal.commit(commit(&scope, 0, 1, 1)).await.expect("a small one still fits");
    assert_eq!(store.health(), Health::Ready);
    store.close().await;
    let store = open(&folder).await;
    assert_eq!(store.platform().open_executions(None, 1_000).await.unwrap().len() as u64, accepted);
    store.journal().commit(create(&scope, 5_000)).await.unwrap();
}
