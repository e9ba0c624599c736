//! A server that is killed, or stands still: who asks meanwhile is told, what was acknowledged is there afterwards, and the
//! store goes on by itself.

use std::time::Duration;

use quantum_store::conformance::{create, execution_id, intent, scope, with_tenants};
use quantum_store::{CommitError, Error, Health, Login, PostgresOptions, Store, prepare};
use quantum_testing::{Postgres, Settings, or_skip};

use super::LOGIN;

/// A server of its own, and a store on it with these connections.
async fn started(settings: &Settings, connections: u32) -> Option<(Postgres, Store)> {
    let server = or_skip(Postgres::start_with(settings))?;
    let login = Login { name: LOGIN.into(), password: None };
    prepare(&server.url("postgres", "postgres"), Some(&login)).await.unwrap();
    // Whoever asks a server that is not there is to be told soon.
    let patience = Duration::from_secs(2);
    let options =
        PostgresOptions { connections, patience, ..PostgresOptions::new(server.url("postgres", LOGIN)) };
    let store = with_tenants(&move || Box::pin(Store::connect(options.clone())), &["t-1", "t-2"]).await;
    Some((server, store.unwrap()))
}

async fn is_there(store: &Store, tenant: &str, number: u64) -> bool {
    store.executions(&scope(tenant)).load(&execution_id(number)).await.unwrap().is_some()
}

/// Commits one execution after the other until one is refused, which it gives.
async fn commit_all(store: &Store, acknowledged: tokio::sync::mpsc::UnboundedSender<u64>) -> CommitError {
    for number in 1_u64.. {
        match store.journal().commit(create(&scope("t-1"), number)).await {
            Ok(_) => acknowledged.send(number).unwrap(),
            Err(refused) => return refused,
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_the_server_was_killed() {
    let settings = Settings { fsync: true, ..Settings::default() };
    let Some((mut server, store)) = started(&settings, 3).await else { return };
    store.journal().commit(create(&scope("t-2"), 1)).await.unwrap();
    let (sender, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
    let commits = tokio::spawn({
        let store = store.clone();
        async move { commit_all(&store, sender).await }
    });
    while acknowledged.recv().await.unwrap() < 20 {}
    server.kill();
    let refused = commits.await.unwrap();
    assert!(matches!(refused, CommitError::Unavailable(_)), "{refused}");
    let mut last = 20;
    while let Ok(number) = acknowledged.try_recv() {
        last = number;
    }
    let refused = store.journal().commit(create(&scope("t-1"), 9_000)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    let Health::Degraded { reason } = store.health() else { panic!("{:?}", store.health()) };
    assert!(reason.contains("cannot be reached"), "{reason}");
    let read = store.executions(&scope("t-1")).load(&execution_id(1)).await;
    assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
    let change = store.intents(&scope("t-1")).create(intent(1, "web"), None).await;
    assert!(matches!(change, Err(Error::Unavailable(_))), "{change:?}");
    server.start_again();
    store.journal().commit(create(&scope("t-1"), 9_001)).await.expect("the first one after it");
    assert_eq!(store.health(), Health::Ready);
    for number in (1..=last).chain([9_001]) {
        assert!(is_there(&store, "t-1", number).await, "{number} of {last} was acknowledged");
    }
    assert!(!is_there(&store, "t-1", 9_000).await, "it was refused before anything was sent");
    assert!(is_there(&store, "t-2", 1).await && !is_there(&store, "t-2", 2).await);
    store.close().await;
}

/// All connections are in use or tried: each answer that does not come is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_not_waited_for_without_end() {
    let Some((mut server, store)) = started(&Settings::default(), 2).await else { return };
    store.journal().commit(create(&scope("t-1"), 1)).await.unwrap();
    server.pause();
    for round in 1..=2 {
        let read = store.executions(&scope("t-1")).load(&execution_id(1)).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{round}: {read:?}");
        let change = store.intents(&scope("t-1")).create(intent(1, "web"), None).await;
        assert!(matches!(change, Err(Error::Unavailable(_))), "{round}: {change:?}");
        let commit = store.journal().commit(create(&scope("t-1"), 2)).await;
        assert!(matches!(commit, Err(CommitError::Unavailable(_))), "{round}: {commit:?}");
    }
    assert!(matches!(store.health(), Health::Degraded { .. }));
    let opened = Store::connect(PostgresOptions {
        patience: Duration::from_millis(100),
        ..PostgresOptions::new(server.url("postgres", LOGIN))
    });
    let refused = opened.await.err().unwrap();
    assert!(matches!(refused, Error::Connect { .. }), "{refused}");
    server.resume();
    store.journal().commit(create(&scope("t-1"), 3)).await.expect("the first one after it");
    assert_eq!(store.health(), Health::Ready);
    assert!(is_there(&store, "t-1", 3).await && !is_there(&store, "t-2", 3).await);
    store.intents(&scope("t-1")).create(intent(1, "web"), None).await.expect("its lock is free");
    store.close().await;
}

/// In the middle of a transaction: the answer of a statement, and not of a connection, is what does not come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_in_the_middle_of_a_batch_keeps_nothing_of_it() {
    let Some((mut server, store)) = started(&Settings::default(), 2).await else { return };
    // The commit and the second hold share a transaction: its rows are written and not committed.
    let first = quantum_store::conformance::hold(&store).await;
    let (journal, commit) = (store.journal(), create(&scope("t-1"), 1));
    let commit = tokio::spawn(async move { journal.commit(commit).await });
    let second = tokio::spawn({
        let store = store.clone();
        async move { quantum_store::conformance::hold(&store).await }
    });
    while store.queued() < 2 {
        tokio::task::yield_now().await;
    }
    drop(first);
    let second = second.await.unwrap();
    server.pause();
    drop(second);
    let refused = commit.await.unwrap();
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    server.resume();
    store.journal().commit(create(&scope("t-1"), 2)).await.expect("the first one after it");
    assert!(is_there(&store, "t-1", 2).await && !is_there(&store, "t-1", 1).await);
    store.close().await;
}
