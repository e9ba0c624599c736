//! Lists of executions, and what recovery reads.

use std::collections::BTreeMap;

use quantum_core::vocabulary::ExecutionStatus;

use super::fixtures::{AT, commit, create, execution_id, intent, intent_uid, scope, with_tenants};
use super::{Check, Open};
use crate::{Commit, ExecutionFilter, ExecutionKey, PageRequest, Store, TenantScope};

/// Pages hold every row once, newest first, also while newer ones are added.
pub async fn pages_are_stable_while_rows_are_added(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    for number in 1..=10 {
        store.journal().commit(create(&scope, number)).await?;
    }
    let mut page = PageRequest::first(4);
    let mut seen = Vec::new();
    for added in 11.. {
        let found = store.executions(&scope).list(&ExecutionFilter::default(), page).await?;
        seen.extend(found.items.iter().map(|row| row.id));
        store.journal().commit(create(&scope, added)).await?;
        let Some(next) = found.next else { break };
        page = PageRequest { limit: 4, after: Some(next) };
    }
    let expected: Vec<_> = (1..=10).rev().map(execution_id).collect();
    assert_eq!(seen, expected);
    Ok(())
}

/// Each condition narrows the list; all of them together, too.
pub async fn filters_narrow_the_list(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    store.intents(&scope).create(intent(1, "deploy"), None).await?;
    store.journal().commit(created_at(create(&scope, 1), 1)).await?;
    store.journal().commit(created_at(labelled(create(&scope, 2), 1), 2)).await?;
    store.journal().commit(created_at(labelled(create(&scope, 3), 2), 3)).await?;
    let mut ended = commit(&scope, 2, 1, 1);
    ended.row.status = ExecutionStatus::Succeeded;
    ended.row.ended_at = Some(AT);
    store.journal().commit(ended).await?;
    let label = Some(("team".to_owned(), "web".to_owned()));
    let (uid, name) = (Some(intent_uid(1)), Some(intent(1, "deploy").name));
    let (running, succeeded) = (Some(ExecutionStatus::Running), Some(ExecutionStatus::Succeeded));
    let none = ExecutionFilter::default;
    assert_eq!(numbers(&store, &scope, none()).await?, [3, 2, 1]);
    assert_eq!(numbers(&store, &scope, ExecutionFilter { intent_uid: uid, ..none() }).await?, [2, 1]);
    assert_eq!(
        numbers(&store, &scope, ExecutionFilter { intent_name: name.clone(), ..none() }).await?,
        [2, 1]
    );
    assert_eq!(numbers(&store, &scope, ExecutionFilter { status: running, ..none() }).await?, [3, 1]);
    assert_eq!(numbers(&store, &scope, ExecutionFilter { label: label.clone(), ..none() }).await?, [3, 2]);
    assert_eq!(numbers(&store, &scope, ExecutionFilter { open_only: true, ..none() }).await?, [3, 1]);
    let (second, third) = (Some(AT.plus_millis(2)), Some(AT.plus_millis(3)));
    assert_eq!(numbers(&store, &scope, ExecutionFilter { created_before: second, ..none() }).await?, [1]);
    assert_eq!(numbers(&store, &scope, ExecutionFilter { created_after: second, ..none() }).await?, [3, 2]);
    let all = ExecutionFilter {
        intent_uid: uid,
        intent_name: name,
        status: succeeded,
        label,
        open_only: false,
        created_before: third,
        created_after: second,
    };
    assert_eq!(numbers(&store, &scope, all).await?, [2]);
    Ok(())
}

/// Pages of a label go on where the one before ended, and hold nothing else.
pub async fn pages_of_a_label_hold_every_row_once(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (scope, other) = (scope("t-1"), scope("t-2"));
    for number in [2, 4, 6, 8, 9] {
        store.journal().commit(labelled(create(&scope, number), 1)).await?;
    }
    for number in [1, 3, 5, 7] {
        store.journal().commit(create(&scope, number)).await?;
        store.journal().commit(labelled(create(&other, number), 1)).await?;
    }
    let filter =
        ExecutionFilter { label: Some(("team".to_owned(), "web".to_owned())), ..ExecutionFilter::default() };
    let (mut page, mut seen) = (PageRequest::first(2), Vec::new());
    loop {
        let found = store.executions(&scope).list(&filter, page).await?;
        seen.extend(found.items.iter().map(|row| row.id));
        let Some(next) = found.next else { break };
        page = PageRequest { limit: 2, after: Some(next) };
    }
    assert_eq!(seen, [9, 8, 6, 4, 2].map(execution_id));
    Ok(())
}

/// Recovery sees what has not ended, of all tenants, page by page, whole.
pub async fn recovery_reads_every_open_execution_once(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    for (tenant, number) in [("t-1", 1), ("t-1", 2), ("t-2", 1), ("t-2", 3), ("t-2", 4)] {
        store.journal().commit(create(&scope(tenant), number)).await?;
    }
    store.journal().commit(commit(&scope("t-2"), 1, 1, 2)).await?;
    let mut ended = commit(&scope("t-2"), 3, 1, 1);
    ended.row.ended_at = Some(AT);
    store.journal().commit(ended).await?;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = store.platform().open_executions(after, 2).await?;
        let Some(last) = page.last() else { break };
        after = Some(ExecutionKey { tenant: last.row.tenant.clone(), execution: last.row.id });
        seen.extend(page);
    }
    let found: Vec<_> = seen.iter().map(|it| (it.row.tenant.as_str(), it.row.id, it.events.len())).collect();
    let expected = [("t-1", 1, 1), ("t-1", 2, 1), ("t-2", 1, 3), ("t-2", 4, 1)];
    assert_eq!(found, expected.map(|(tenant, number, events)| (tenant, execution_id(number), events)));
    for stored in seen {
        let loaded = store.executions(&scope(stored.row.tenant.as_str())).load(&stored.row.id).await?;
        assert_eq!(loaded, Some(stored));
    }
    Ok(())
}

/// So many milliseconds later.
fn created_at(mut commit: Commit, millis: u64) -> Commit {
    if let Some(new) = &mut commit.create {
        new.created_at = AT.plus_millis(millis);
    }
    commit
}

fn labelled(mut commit: Commit, intent: u64) -> Commit {
    if let Some(new) = &mut commit.create {
        new.labels = BTreeMap::from([("team".into(), "web".into())]);
        new.intent_uid = intent_uid(intent);
    }
    commit
}

async fn numbers(
    store: &Store,
    scope: &TenantScope,
    filter: ExecutionFilter,
) -> Result<Vec<u64>, crate::Error> {
    let page = store.executions(scope).list(&filter, PageRequest::first(10)).await?;
    let number =
        |row: &crate::ExecutionRow| (1..10).find(|number| execution_id(*number) == row.id).unwrap_or(0);
    Ok(page.items.iter().map(number).collect())
}
