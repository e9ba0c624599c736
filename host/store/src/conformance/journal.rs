//! Group commit: together on disk, each on its own merits.

use futures::future::join_all;

use super::fixtures::{AT, commit, create, execution_id, hold, scope, with_tenants};
use super::{Check, Open};
use crate::{CommitError, CommitOutcome, EncodedEvent, Journal};

/// Good and bad commits in one batch: the bad ones are refused, each with its reason, and the good ones stand.
pub async fn a_refused_commit_does_not_fail_its_batch(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let (scope, stranger) = (scope("t-1"), scope("t-none"));
    let journal = store.journal();
    for execution in [1, 2, 3] {
        journal.commit(create(&scope, execution)).await?;
    }
    let before = store.stats();
    let mut fenced = commit(&scope, 2, 1, 1);
    fenced.epoch = 7;
    let batch = [
        commit(&scope, 1, 1, 2),
        fenced,
        commit(&scope, 3, 9, 1),
        commit(&scope, 4, 1, 1),
        create(&stranger, 5),
        create(&scope, 1),
        create(&scope, 6),
    ];
    let verdicts = in_one_batch(&store, &journal, batch).await;
    let shown: Vec<String> = verdicts.iter().map(show).collect();
    assert_eq!(
        shown,
        ["at 3", "fenced by 1", "conflict at 1", "conflict at 0", "invalid", "conflict at 3", "at 1"],
        "{verdicts:?}"
    );
    let after = store.stats();
    assert_eq!(after.flushes - before.flushes, 2, "the one that held the writer, and the batch");
    assert_eq!(after.awaited_commits - before.awaited_commits, 2);
    assert_eq!(after.refused_commits - before.refused_commits, 5);
    Ok(())
}

/// Commits that are handed over together are one transaction, and each of them is judged by itself.
pub async fn commits_that_are_handed_over_together_share_one_flush(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let (scope, stranger) = (scope("t-1"), scope("t-none"));
    let journal = store.journal();
    journal.commit(create(&scope, 1)).await?;
    let mut gap = create(&scope, 8);
    gap.events = Vec::new();
    let before = store.stats();
    let others = (1_000..2_100).map(|number| create(&scope, number));
    let batch = [create(&scope, 1), create(&scope, 2), gap, create(&stranger, 3), create(&scope, 4)];
    let verdicts = journal.commit_all(batch.into_iter().chain(others).collect()).await;
    let shown: Vec<String> = verdicts.iter().take(5).map(show).collect();
    assert_eq!(shown, ["conflict at 1", "at 1", "invalid", "invalid", "at 1"], "{verdicts:?}");
    assert!(verdicts.iter().skip(5).all(Result::is_ok));
    let after = store.stats();
    assert_eq!(after.flushes - before.flushes, 1);
    assert_eq!(after.awaited_commits - before.awaited_commits, 1_102);
    assert!(journal.commit_all(Vec::new()).await.is_empty());
    store.close().await;
    assert_eq!(
        show(&journal.commit_all(vec![create(&scope, 5)]).await.remove(0)),
        "write to the database: the store is closed"
    );
    Ok(())
}

/// A hundred commits share one flush, or two where one goes on beside another.
pub async fn what_is_queued_becomes_durable_together(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let before = store.stats().flushes;
    let batch = (0..100).map(|number| create(&scope(if number % 2 == 0 { "t-1" } else { "t-2" }), number));
    let verdicts = in_one_batch(&store, &store.journal(), batch).await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    let flushes = store.stats().flushes - before;
    assert!(
        (2..=3).contains(&flushes),
        "{flushes}: the one that held the writer, and the batch in a part or two"
    );
    Ok(())
}

/// Several commits of one execution in one batch build on each other, from its creation on.
pub async fn commits_of_one_execution_in_a_batch_follow_each_other(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let batch =
        [create(&scope, 1), commit(&scope, 1, 1, 3), commit(&scope, 1, 1, 1), commit(&scope, 1, 4, 1)];
    let verdicts = in_one_batch(&store, &store.journal(), batch).await;
    let shown: Vec<String> = verdicts.iter().map(show).collect();
    assert_eq!(shown, ["at 1", "at 4", "conflict at 4", "at 5"]);
    let stored = store.executions(&scope).load(&execution_id(1)).await?.ok_or("it is stored")?;
    assert_eq!((stored.row.version, stored.row.steps_done), (5, 4), "the row is the last commit's");
    assert_eq!(stored.input, r#"{"tag":"1.0"}"#);
    assert_eq!(&**stored.plan.json(), r#"{"steps":[]}"#);
    let seqs: Vec<u64> = stored.events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    Ok(())
}

/// Two who decided on the same state: one wins, whoever it is.
pub async fn one_of_many_racing_commits_wins(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    journal.commit(create(&scope, 1)).await?;
    let racing = (0..20).map(|_| journal.commit(commit(&scope, 1, 1, 1)));
    let verdicts = join_all(racing).await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    let conflicts =
        verdicts.iter().filter(|v| matches!(v, Err(CommitError::Conflict { current: 2 }))).count();
    assert_eq!(conflicts, 19);
    Ok(())
}

/// Gaps and repeats are refused before anything is written.
pub async fn events_must_be_consecutive(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    journal.commit(create(&scope, 1)).await?;
    for seqs in [vec![], vec![3], vec![1], vec![2, 2], vec![2, 4]] {
        let mut wrong = commit(&scope, 1, 1, 0);
        wrong.events = seqs.iter().map(|seq| EncodedEvent { seq: *seq, json: "{}".into() }).collect();
        let refused = journal.commit(wrong).await;
        assert!(matches!(refused, Err(CommitError::Invalid { .. })), "{seqs:?}: {refused:?}");
    }
    let events = store.executions(&scope).events(&execution_id(1), 0, 10).await?;
    assert_eq!(events.len(), 1);
    Ok(())
}

/// A page starts behind the last known event, wherever the commits were cut.
pub async fn events_are_read_from_any_seq_on(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    journal.commit(create(&scope, 1)).await?;
    journal.commit(commit(&scope, 1, 1, 3)).await?;
    journal.commit(commit(&scope, 1, 4, 2)).await?;
    for after in 0..=6 {
        for limit in 1..=7 {
            let events = store.executions(&scope).events(&execution_id(1), after, limit).await?;
            let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
            let expected: Vec<u64> = (after + 1..=6).take(limit as usize).collect();
            assert_eq!(seqs, expected, "after {after}, limit {limit}");
        }
    }
    Ok(())
}

/// An owner that was replaced cannot write any more; the new one can.
pub async fn a_replaced_owner_is_fenced(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    let journal = store.journal();
    journal.commit(create(&scope, 1)).await?;
    assert_eq!(store.platform().claim("node-2", 10, AT).await?.len(), 1);
    let refused = journal.commit(commit(&scope, 1, 1, 1)).await;
    assert!(matches!(refused, Err(CommitError::Fenced { epoch: 2 })), "{refused:?}");
    let mut next = commit(&scope, 1, 1, 1);
    next.epoch = 2;
    assert_eq!(journal.commit(next).await?, CommitOutcome { version: 2 });
    let row = store.executions(&scope).get(&execution_id(1)).await?.ok_or("it is stored")?;
    assert_eq!((row.owner.as_deref(), row.epoch), (Some("node-2"), 2));
    Ok(())
}

async fn in_one_batch(
    store: &crate::Store,
    journal: &Journal,
    batch: impl IntoIterator<Item = crate::Commit>,
) -> Vec<Result<CommitOutcome, CommitError>> {
    let release = hold(store).await;
    let mut all = Box::pin(join_all(batch.into_iter().map(|commit| journal.commit(commit))));
    assert!(futures::poll!(&mut all).is_pending(), "all of them are queued, and none is done");
    drop(release);
    all.await
}

fn show(verdict: &Result<CommitOutcome, CommitError>) -> String {
    match verdict {
        Ok(outcome) => format!("at {}", outcome.version),
        Err(CommitError::Conflict { current }) => format!("conflict at {current}"),
        Err(CommitError::Fenced { epoch }) => format!("fenced by {epoch}"),
        Err(CommitError::Invalid { .. }) => "invalid".into(),
        Err(other) => other.to_string(),
    }
}
