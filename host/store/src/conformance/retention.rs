//! What goes when executions are over their time, and what stays.

use std::collections::BTreeMap;

use quantum_core::id::ExecutionId;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;

use super::fixtures::{AT, artifact, commit, create, execution_id, line, record, scope, with_tenants};
use super::{Check, Open};
use crate::database::{Columns, Query, Sql};
use crate::{
    Commit, CommitError, EndKey, Error, ExecutionFilter, Holder, PageRequest, SharedPlan, Store, TenantScope,
};

/// Milliseconds after `AT` until which executions go.
const CUT: u64 = 100;
const LATER: Timestamp = AT.plus_millis(1_000);

/// At the cut it goes, a millisecond later it stays, and so does what has not ended. Whoever looks sees what stays.
pub async fn what_ended_until_the_cut_goes(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    for (number, ended) in [(1, Some(CUT)), (2, Some(CUT + 1)), (3, None)] {
        end(&store, create(&scope, number), ended).await?;
    }
    assert_eq!(expired(&store, &scope, None, 10).await?, [1]);
    for stays in [2, 3, 4] {
        assert!(!purge(&store, &scope, &[1, stays]).await?, "{stays}");
    }
    assert_eq!(seen(&store, &scope).await?, [3, 2, 1], "all of them go or none");
    assert!(purge(&store, &scope, &[1]).await?);
    assert_eq!(seen(&store, &scope).await?, [3, 2]);
    assert!(expired(&store, &scope, None, 10).await?.is_empty());
    assert!(!purge(&store, &scope, &[1]).await?, "it is gone");
    Ok(())
}

/// From the moment at which it is purged an execution is not there for anybody, also while its rows are being removed;
/// a new start of the host goes on with that.
pub async fn what_was_purged_is_not_there_any_more(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    end(&store, create(&scope, 1), Some(1)).await?;
    store.logs().append(vec![line(&scope, 1, "hello")]).await?;
    assert!(purge(&store, &scope, &[1]).await?);
    let restart = store.journal().commit(commit(&scope, 1, 2, 1)).await;
    assert!(matches!(restart, Err(CommitError::Conflict { current: 0 })), "{restart:?}");
    for store in [store, open().await?] {
        let executions = store.executions(&scope);
        assert_eq!(executions.get(&execution_id(1)).await?, None);
        assert_eq!(executions.load(&execution_id(1)).await?, None);
        assert!(executions.events(&execution_id(1), 0, 10).await?.is_empty());
        assert!(seen(&store, &scope).await?.is_empty());
        store.close().await;
    }
    let store = open().await?;
    assert_eq!(sweep(&store, &scope).await?, 4, "a line, two rows of the journal, and its own");
    assert!(left(&store, "t-1", 1).await?.is_empty());
    store.journal().commit(create(&scope, 1)).await?;
    assert_eq!(seen(&store, &scope).await?, [1], "the id is free");
    Ok(())
}

/// No table has anything left of it, and the twin with the same ids has everything.
pub async fn nothing_is_left_of_an_execution(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    for scope in [&mine, &other] {
        for number in 1..=2 {
            fill(&store, scope, number).await?;
        }
    }
    let whole = left(&store, "t-1", 1).await?;
    let tables = ["artifact_names 2", "execution_labels 2", "executions 1", "journal 2", "logs 3"];
    assert_eq!(whole, tables, "the test knows of every table that names an execution");
    assert!(!purge(&store, &scope("t-3"), &[1]).await?, "another tenant removes nothing");
    assert!(purge(&store, &mine, &[1]).await?);
    assert_eq!(sweep(&store, &mine).await?, 10);
    assert!(left(&store, "t-1", 1).await?.is_empty());
    assert_eq!(left(&store, "t-1", 2).await?, tables, "another execution");
    assert_eq!(left(&store, "t-2", 1).await?, tables, "another tenant");
    assert_eq!(count(&store, "t-1", "SELECT count(*) FROM plans WHERE tenant_id = 't-1'").await?, 1);
    assert_eq!(count(&store, "t-2", "SELECT count(*) FROM plans WHERE tenant_id = 't-2'").await?, 2);
    let unheld = "SELECT count(*) FROM artifacts WHERE unheld_at IS NOT NULL AND tenant_id = 't-1'";
    assert_eq!(count(&store, "t-1", unheld).await?, 1, "the other execution holds what both had");
    assert_eq!(store.platform().purge_unheld_artifacts(LATER, 10).await?, 1);
    let answered = store.idempotency(&mine).lookup(&record("key-1", 1).key, AT).await?;
    assert!(answered.is_some(), "an answer goes by its own time");
    Ok(())
}

/// A child whose parent is open, a parent with an open child, and what an open replay repeats.
pub async fn what_something_open_needs_stays(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    // 1: parent of 2. 3: parent of 4. 5: repeated by 6.
    let child = |number, parent| from(create(&scope, number), "child", "parent", parent);
    let replay = |number, of| from(create(&scope, number), "replay", "of", of);
    end(&store, create(&scope, 1), None).await?;
    end(&store, child(2, 1), Some(1)).await?;
    end(&store, create(&scope, 3), Some(2)).await?;
    end(&store, child(4, 3), None).await?;
    end(&store, create(&scope, 5), Some(3)).await?;
    end(&store, replay(6, 5), None).await?;
    assert!(expired(&store, &scope, None, 10).await?.is_empty());
    for needed in [2, 3, 5] {
        assert!(!purge(&store, &scope, &[needed]).await?, "{needed}");
    }
    for ends in [1, 4, 6] {
        store.journal().commit(ended(commit(&scope, ends, 2, 1), Some(10 + ends))).await?;
    }
    assert_eq!(expired(&store, &scope, None, 10).await?, [2, 3, 5, 1, 4, 6], "the earliest end first");
    assert!(purge(&store, &scope, &[1, 2, 3, 4, 5, 6]).await?);
    Ok(())
}

/// What was restarted after it was found stays, with all that were to go with it.
pub async fn what_was_restarted_meanwhile_stays(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    for number in 1..=2 {
        end(&store, create(&scope, number), Some(number)).await?;
    }
    assert_eq!(expired(&store, &scope, None, 10).await?, [1, 2]);
    store.journal().commit(commit(&scope, 1, 2, 1)).await?;
    assert!(!purge(&store, &scope, &[1, 2]).await?);
    assert_eq!(seen(&store, &scope).await?, [2, 1]);
    assert_eq!(expired(&store, &scope, None, 10).await?, [2]);
    store.journal().commit(ended(commit(&scope, 1, 3, 1), Some(CUT + 1))).await?;
    assert_eq!(expired(&store, &scope, None, 10).await?, [2], "its time begins anew");
    Ok(())
}

/// As many as were asked for, in order and each once; and no write removes more rows than it may.
pub async fn batches_are_bounded(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1"]).await?;
    let scope = scope("t-1");
    // Two that ended in the same millisecond, at the border of two pages.
    for (number, at) in [(1, 3), (2, 2), (3, 2), (4, 1), (5, 9)] {
        end(&store, create(&scope, number), Some(at)).await?;
    }
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let rows = store.executions(&scope).expired(AT.plus_millis(CUT), after, 2).await?;
        assert!(rows.len() <= 2);
        let Some(last) = rows.last() else { break };
        after = last.ended_at.map(|ended_at| EndKey { ended_at, id: last.id });
        found.extend(rows.iter().map(|row| number(row.id)));
    }
    assert_eq!(found, [4, 2, 3, 1, 5]);
    assert!(purge(&store, &scope, &[1, 2, 3, 4]).await?);
    let mut writes = Vec::new();
    loop {
        match store.executions(&scope).sweep(LATER, 5).await? {
            0 => break,
            removed => writes.push(removed),
        }
    }
    assert_eq!(writes, [5, 5, 2]);
    assert_eq!(seen(&store, &scope).await?, [5]);
    Ok(())
}

/// Its row, a journal of two rows, labels, lines, names, an answer, and a plan of its own.
async fn fill(store: &Store, scope: &TenantScope, number: u64) -> Check {
    let mut start = create(scope, number);
    if let Some(new) = &mut start.create {
        new.labels = BTreeMap::from([("team".into(), "web".into()), ("zone".into(), "a".into())]);
        new.plan = SharedPlan::new(format!("{{\"steps\":[{number}]}}"));
    }
    start.idempotency = Some(record(&format!("key-{number}"), number));
    end(store, start, Some(1)).await?;
    store.logs().append((0..3).map(|_| line(scope, number, "hello")).collect()).await?;
    let holder = Holder::Execution(execution_id(number));
    for text in ["shared".to_owned(), format!("of {number}")] {
        store.artifacts(scope).record(artifact(&text, holder, Some(&text))).await?;
    }
    Ok(())
}

/// Starts it, and ends it so many milliseconds after `AT`.
async fn end(store: &Store, start: Commit, millis: Option<u64>) -> Check {
    let last = ended(Commit { create: None, expected_version: 1, ..start.clone() }, millis);
    let events = commit(&start.scope, 1, 1, 1).events;
    store.journal().commit(start).await?;
    store.journal().commit(Commit { events, idempotency: None, ..last }).await?;
    Ok(())
}

fn ended(mut commit: Commit, millis: Option<u64>) -> Commit {
    if let Some(millis) = millis {
        commit.row.status = ExecutionStatus::Succeeded;
        commit.row.ended_at = Some(AT.plus_millis(millis));
    }
    commit
}

fn from(mut commit: Commit, kind: &str, key: &str, number: u64) -> Commit {
    if let Some(new) = &mut commit.create {
        new.origin = Some(serde_json::json!({ "kind": kind, key: execution_id(number) }).to_string());
    }
    commit
}

async fn expired(
    store: &Store,
    scope: &TenantScope,
    after: Option<EndKey>,
    limit: u32,
) -> Result<Vec<u64>, Error> {
    let rows = store.executions(scope).expired(AT.plus_millis(CUT), after, limit).await?;
    Ok(rows.iter().map(|row| number(row.id)).collect())
}

async fn purge(store: &Store, scope: &TenantScope, numbers: &[u64]) -> Result<bool, Error> {
    let ids: Vec<ExecutionId> = numbers.iter().map(|number| execution_id(*number)).collect();
    store.executions(scope).purge(&ids, AT.plus_millis(CUT), LATER).await
}

/// Until nothing is left. Gives the rows.
async fn sweep(store: &Store, scope: &TenantScope) -> Result<u64, Error> {
    let removed = store.executions(scope).sweep(LATER, 1_000).await?;
    assert_eq!(store.executions(scope).sweep(LATER, 1_000).await?, 0);
    Ok(removed)
}

/// The newest first.
async fn seen(store: &Store, scope: &TenantScope) -> Result<Vec<u64>, Error> {
    let page = store.executions(scope).list(&ExecutionFilter::default(), PageRequest::first(10)).await?;
    Ok(page.items.iter().map(|row| number(row.id)).collect())
}

fn number(id: ExecutionId) -> u64 {
    (1..10).find(|number| execution_id(*number) == id).unwrap_or(0)
}

/// `table rows`, of every table that has some of the execution.
async fn left(store: &Store, tenant: &str, number: u64) -> Result<Vec<String>, Error> {
    let tables = Sql::each(
        "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND c.name = 'execution_id' ORDER BY 1",
        "SELECT CAST(table_name AS text) FROM information_schema.columns \
         WHERE table_schema = 'public' AND column_name = 'execution_id' ORDER BY 1",
    );
    let scope = scope(tenant);
    let tables = Query::new(tables).fetch_all(&mut store.read(&scope).await?).await?;
    let names: Result<Vec<_>, Error> = tables.iter().map(|row| Columns::new(row, "tables").owned()).collect();
    let names = names?.into_iter().map(|name| (name, "execution_id"));
    let mut found = Vec::new();
    for (table, column) in names.chain([("executions".to_owned(), "id")]) {
        let id = execution_id(number);
        let rows = format!("SELECT count(*) FROM {table} WHERE tenant_id = '{tenant}' AND {column} = '{id}'");
        let rows = count(store, tenant, &rows).await?;
        found.extend((rows > 0).then(|| format!("{table} {rows}")));
    }
    found.sort();
    Ok(found)
}

async fn count(store: &Store, tenant: &str, sql: &str) -> Result<i64, Error> {
    let row = Query::new(sql.to_owned()).fetch_one(&mut store.read(&scope(tenant)).await?).await?;
    Columns::new(&row, "counted").int()
}
