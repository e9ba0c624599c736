//! What was acknowledged is there after the store was opened again.

use futures::future::join_all;

use super::fixtures::{commit, create, execution_id, hold, scope, with_tenants};
use super::{Check, Open};
use crate::CommitError;

/// After an orderly close.
pub async fn a_closed_store_opens_with_everything_committed(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    store.journal().commit(create(&scope, 1)).await?;
    store.journal().commit(commit(&scope, 1, 1, 4)).await?;
    let before = store.executions(&scope).load(&execution_id(1)).await?;
    assert!(before.is_some());
    let journal = store.journal();
    store.close().await;
    let late = journal.commit(commit(&scope, 1, 5, 1)).await;
    assert!(matches!(late, Err(CommitError::Unavailable(_))), "{late:?}");
    let store = open().await?;
    assert_eq!(store.executions(&scope).load(&execution_id(1)).await?, before);
    Ok(())
}

/// What is queued when the store is closed is written before it closes.
pub async fn closing_writes_what_is_queued(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    let release = hold(&store).await;
    let mut queued = Box::pin(join_all((0..20).map(|number| journal.commit(create(&scope, number)))));
    assert!(futures::poll!(&mut queued).is_pending());
    let closing = tokio::spawn(store.close());
    drop(release);
    let verdicts = queued.await;
    closing.await?;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    let store = open().await?;
    assert_eq!(store.platform().open_executions(None, 100).await?.len(), 20);
    Ok(())
}

/// Dropped in the middle of work, without a close: whatever was acknowledged is there.
pub async fn a_dropped_store_keeps_what_was_acknowledged(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    for number in 0..10 {
        journal.commit(create(&scope, number)).await?;
    }
    drop((store, journal));
    let store = open().await?;
    assert_eq!(store.platform().open_executions(None, 100).await?.len(), 10);
    Ok(())
}
