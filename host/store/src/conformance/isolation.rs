//! Two tenants with the same names and ids see nothing of each other.

use super::fixtures::{AT, create, execution_id, intent, record, scope, version, with_tenants};
use super::{Check, Open};
use crate::sqlite::Columns;
use crate::{Change, Error, ExecutionFilter, IntentFilter, PageRequest, Store, TenantScope};

/// What one tenant does to its things does not show in the other's answers.
pub async fn twins_do_not_see_each_other(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    fill(&store, &mine).await?;
    let alone = everything(&store, &mine).await?;
    assert!(alone.contains("print-1") && alone.contains("\"about\\\":\\\"first"), "{alone}");
    assert!(!everything(&store, &other).await?.contains("first"), "nothing of the first tenant is there");
    fill(&store, &other).await?;
    let change = Change { uid: intent(1, "web").uid, expected_revision: None, at: AT, idempotency: None };
    store.intents(&other).new_version(change, version("changed by the twin")).await?;
    store.journal().commit(super::commit(&other, 1, 1, 3)).await?;
    assert_eq!(everything(&store, &mine).await?, alone);
    assert_eq!(store.stats().foreign_rows, 0);
    Ok(())
}

/// Should a query forget the tenant, the row is withheld and counted.
pub async fn a_row_of_another_tenant_is_withheld(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    store.journal().commit(create(&scope("t-2"), 1)).await?;
    let row = sqlx::query("SELECT tenant_id, id FROM executions").fetch_one(&store.readers).await?;
    let mine = Columns::scoped(&row, "executions", &scope("t-2"), &store.counters);
    assert!(mine.is_ok());
    let foreign = Columns::scoped(&row, "executions", &scope("t-1"), &store.counters).map(drop);
    assert!(matches!(foreign, Err(Error::ForeignRow { table: "executions" })), "{foreign:?}");
    assert_eq!(store.stats().foreign_rows, 1);
    Ok(())
}

async fn fill(store: &Store, scope: &TenantScope) -> Check {
    store.intents(scope).create(intent(1, "web"), None).await?;
    let mut start = create(scope, 1);
    start.idempotency = Some(record("key-1", 1));
    store.journal().commit(start).await?;
    Ok(())
}

/// All answers that a tenant can get, as text.
async fn everything(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    let page = || PageRequest::first(10);
    let name = intent(1, "web").name;
    let q = IntentFilter { q: Some("web".into()), ..IntentFilter::default() };
    Ok(format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        store.intents(scope).by_name(&name).await?,
        store.intents(scope).versions(&name, page()).await?,
        store.intents(scope).list(&q, page()).await?,
        store.executions(scope).load(&execution_id(1)).await?,
        store.executions(scope).events(&execution_id(1), 0, 10).await?,
        store.executions(scope).list(&ExecutionFilter::default(), page()).await?,
        store.idempotency(scope).lookup(&record("key-1", 1).key, AT).await?,
        store.installations(scope).list().await?,
    ))
}
