//! Crashes: a process that is killed, and files as they are in the middle of a transaction.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use quantum_core::port::BoxFuture;
use quantum_store::conformance::{commit, create, execution_id, hold, scope, with_tenants};
use quantum_store::{Error, Store, StoreOptions};

use crate::{folder, open, options};

const DATABASE: &str = "QUANTUM_STORE_CRASH_DATABASE";

/// Runs inside the process that is killed: commits, and says what was acknowledged.
#[tokio::test]
#[ignore = "started by the test below, which kills it"]
async fn killed_child() {
    let options = StoreOptions::new(std::env::var(DATABASE).unwrap());
    let opener =
        move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(options.clone())) };
    let store = with_tenants(&opener, &["t-1"]).await.unwrap();
    let (scope, journal) = (scope("t-1"), store.journal());
    for execution in 0_u64.. {
        journal.commit(create(&scope, execution)).await.unwrap();
        println!("acknowledged {execution} 1");
        journal.commit(commit(&scope, execution, 1, 3)).await.unwrap();
        println!("acknowledged {execution} 4");
    }
}

#[tokio::test]
async fn what_a_killed_process_acknowledged_is_there_and_without_gaps() {
    let folder = folder();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::killed_child", "--exact", "--ignored", "--nocapture"])
        .env(DATABASE, options(&folder).path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = lines.filter_map(|line| Some(line.split_once("acknowledged ")?.1.to_owned()));
    let mut acknowledged: Vec<String> = said.by_ref().take(51).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(said);
    assert!(acknowledged.len() >= 51);
    let store = open(&folder).await;
    for line in &acknowledged {
        let (execution, version) = line.split_once(' ').unwrap();
        let id = execution_id(execution.parse().unwrap());
        let stored = store.executions(&scope("t-1")).load(&id).await.unwrap().expect("it was acknowledged");
        assert!(stored.row.version >= version.parse().unwrap(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_copied_in_the_middle_of_a_transaction_hold_what_was_acknowledged_and_no_more() {
    let (folder, copy) = (folder(), crate::folder());
    let from = options(&folder);
    let opener = move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(from.clone())) };
    let store = with_tenants(&opener, &["t-1"]).await.unwrap();
    let (scope, journal) = (scope("t-1"), store.journal());
    journal.commit(create(&scope, 1)).await.unwrap();
    // The commit and the second hold share a transaction: its rows are written and not committed.
    let first = hold(&store).await;
    let uncommitted = tokio::spawn({
        let (journal, commit) = (journal.clone(), create(&scope, 2));
        async move { journal.commit(commit).await }
    });
    let second = tokio::spawn({
        let store = store.clone();
        async move { hold(&store).await }
    });
    while store.queued() < 2 {
        tokio::task::yield_now().await;
    }
    drop(first);
    let second = second.await.unwrap();
    for file in ["quantum.db", "quantum.db-wal"] {
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    drop(second);
    uncommitted.await.unwrap().unwrap();
    let crashed = open(&copy).await;
    let found = crashed.platform().open_executions(None, 10).await.unwrap();
    assert_eq!(found.iter().map(|it| it.row.id).collect::<Vec<_>>(), [execution_id(1)]);
    let whole = store.platform().open_executions(None, 10).await.unwrap();
    assert_eq!(whole.len(), 2);
}

#[tokio::test]
async fn after_a_checkpoint_the_database_file_alone_holds_everything() {
    let (folder, copy) = (folder(), crate::folder());
    let from = options(&folder);
    let opener = move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(from.clone())) };
    let store = with_tenants(&opener, &["t-1"]).await.unwrap();
    store.journal().commit(create(&scope("t-1"), 1)).await.unwrap();
    store.platform().checkpoint().await.unwrap();
    std::fs::copy(folder.path().join("quantum.db"), copy.path().join("quantum.db")).unwrap();
    let alone = open(&copy).await;
    assert_eq!(alone.platform().open_executions(None, 10).await.unwrap().len(), 1);
}
