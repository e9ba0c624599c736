//! A disk that does not do what it is told: what is acknowledged then, and what is there afterwards.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use quantum_core::port::BoxFuture;
use quantum_store::conformance::{create, execution_id, scope, with_tenants};
use quantum_store::{CommitError, Error, Fault, Faults, Health, Store, StoreOptions};
use tokio::sync::Semaphore;

use crate::{folder, open, options};

/// Faults by the number of the flush, and a store that has them. The first flush makes the tenant.
async fn store(folder: &tempfile::TempDir, faults: &[(u64, Fault)]) -> Store {
    let by_flush: HashMap<u64, Fault> = faults.iter().copied().collect();
    let answer = move |flush: u64| -> BoxFuture<'static, Fault> {
        let fault = by_flush.get(&flush).copied().unwrap_or(Fault::None);
        Box::pin(std::future::ready(fault))
    };
    with(folder, Faults::new(answer)).await
}

async fn with(folder: &tempfile::TempDir, faults: Faults) -> Store {
    let options = StoreOptions { faults: Some(faults), ..options(folder) };
    let opener =
        move || -> BoxFuture<'static, Result<Store, Error>> { Box::pin(Store::open(options.clone())) };
    with_tenants(&opener, &["t-1"]).await.unwrap()
}

/// Which of the executions 1 to 9 a new start finds.
async fn found(folder: &tempfile::TempDir) -> Vec<u64> {
    let store = open(folder).await;
    let mut found = Vec::new();
    for number in 1..10 {
        let stored = store.executions(&scope("t-1")).load(&execution_id(number)).await.unwrap();
        found.extend(stored.map(|_| number));
    }
    store.close().await;
    found
}

#[tokio::test]
async fn a_refused_flush_wrote_nothing_and_the_next_one_is_as_good_as_ever() {
    let folder = folder();
    let store = store(&folder, &[(3, Fault::Refused)]).await;
    let journal = store.journal();
    journal.commit(create(&scope("t-1"), 1)).await.unwrap();
    let refused = journal.commit(create(&scope("t-1"), 2)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.health(), Health::Degraded { .. }), "{:?}", store.health());
    assert!(store.executions(&scope("t-1")).load(&execution_id(2)).await.unwrap().is_none());
    journal.commit(create(&scope("t-1"), 3)).await.unwrap();
    assert_eq!(store.health(), Health::Ready);
    store.close().await;
    assert_eq!(found(&folder).await, [1, 3]);
}

#[tokio::test]
async fn after_a_flush_that_the_disk_did_not_confirm_nothing_is_acknowledged_any_more() {
    let folder = folder();
    let store = store(&folder, &[(3, Fault::Unconfirmed)]).await;
    let (scope, journal) = (scope("t-1"), store.journal());
    journal.commit(create(&scope, 1)).await.unwrap();
    for number in 2..=4 {
        let refused = journal.commit(create(&scope, number)).await;
        assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{number}: {refused:?}");
        let Health::Failed { reason } = store.health() else { panic!("{:?}", store.health()) };
        assert!(reason.contains("the disk did not confirm the write"), "{reason}");
    }
    let refused = store.platform().purge_idempotency(quantum_core::time::Timestamp::from_millis(0)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let flushes = store.stats().flushes;
    assert!(store.executions(&scope).load(&execution_id(1)).await.unwrap().is_some(), "reading goes on");
    store.close().await;
    // The one whose flush was not confirmed may be there; what was refused afterwards was never written.
    let found = found(&folder).await;
    assert!(found == [1, 2] || found == [1], "{found:?}");
    assert_eq!(flushes, 2, "the tenant and the first execution");
}

#[tokio::test]
async fn whoever_dies_before_the_flush_has_told_nobody_and_written_nothing() {
    let folder = folder();
    let store = store(&folder, &[(3, Fault::DiesBefore)]).await;
    let (scope, journal) = (scope("t-1"), store.journal());
    journal.commit(create(&scope, 1)).await.unwrap();
    for number in 2..=3 {
        let silence = journal.commit(create(&scope, number)).await;
        assert!(matches!(silence, Err(CommitError::Unavailable(_))), "{number}: {silence:?}");
    }
    drop(store);
    assert_eq!(found(&folder).await, [1]);
}

#[tokio::test]
async fn whoever_dies_after_the_flush_has_told_nobody_and_written_everything() {
    let folder = folder();
    let store = store(&folder, &[(3, Fault::DiesAfter)]).await;
    let (scope, journal) = (scope("t-1"), store.journal());
    journal.commit(create(&scope, 1)).await.unwrap();
    for number in 2..=3 {
        let silence = journal.commit(create(&scope, number)).await;
        assert!(matches!(silence, Err(CommitError::Unavailable(_))), "{number}: {silence:?}");
    }
    drop(store);
    assert_eq!(found(&folder).await, [1, 2], "the third came too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_during_a_slow_flush_is_written_together_after_it() {
    let folder = folder();
    let (gate, asked) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(0)));
    let faults = {
        let (gate, asked) = (gate.clone(), asked.clone());
        Faults::new(move |flush| {
            let gate = gate.clone();
            *asked.lock().unwrap() = flush;
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Fault::None
            })
        })
    };
    let store = with(&folder, faults).await;
    let start = |number| {
        let journal = store.journal();
        tokio::spawn(async move { journal.commit(create(&scope("t-1"), number)).await })
    };
    let mut commits = vec![start(1)];
    while *asked.lock().unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    commits.extend((2..=4).map(start));
    while store.queued() < 3 {
        tokio::task::yield_now().await;
    }
    assert!(commits.iter().all(|commit| !commit.is_finished()), "nobody is told before the flush");
    gate.add_permits(2);
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(*asked.lock().unwrap(), 3);
}
