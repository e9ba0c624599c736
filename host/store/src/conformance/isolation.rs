//! Two tenants with the same names and ids see nothing of each other.

use quantum_core::vocabulary::Environment;

use super::fixtures::{
    AT, artifact, create, execution_id, intent, record, schedule, scope, sealed, secret, tenant_key, value,
    version, with_tenants,
};
use super::{Check, Open};
use crate::database::{Columns, Query};
use crate::{
    ArtifactFilter, Blobs, Change, Error, ExecutionFilter, Holder, IntentFilter, PageRequest, Store,
    TenantScope,
};

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
    store.blueprints(&other).write(super::blueprints::change("web", 1, Some("changed by the twin"))).await?;
    store.journal().commit(super::commit(&other, 1, 1, 3)).await?;
    store.schedules(&other).remove(schedule(1, "nightly").name, None).await?;
    assert_eq!(everything(&store, &mine).await?, alone);
    assert_eq!(store.stats().foreign_rows, 0);
    Ok(())
}

/// The same for what steps store: one twin changes and removes all of its own under the same names.
pub async fn twins_do_not_see_each_others_effects(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    fill_effects(&store, &mine, "mine").await?;
    let alone = effects(&store, &mine).await?;
    assert_eq!(alone.matches("mine").count(), 7, "{alone}");
    let theirs = effects(&store, &other).await?;
    let content = Blobs::digest(b"mine");
    assert!(!theirs.contains("mine") && !theirs.contains(content.as_str()), "{theirs}");
    assert!(store.artifacts(&other).get(&content).await?.is_none(), "a digest alone opens nothing");
    fill_effects(&store, &other, "theirs").await?;
    assert_eq!(effects(&store, &mine).await?, alone);
    for holder in [Holder::Tenant, Holder::Execution(execution_id(1))] {
        assert!(store.artifacts(&other).remove_name(holder, "app", AT).await?);
    }
    assert!(store.key_value(&other).delete("acme:sync", "cursor").await?);
    assert!(store.secrets(&other).remove("TOKEN", Environment::Test).await?);
    assert_eq!(store.secrets(&other).drop_keys(9).await?, 1);
    store.platform().purge_unheld_artifacts(AT, 10).await?;
    assert_eq!(effects(&store, &mine).await?, alone);
    let foreign = store.secrets(&other).put(secret("t-1", "X", Environment::Test), sealed(1, "x"), 9).await;
    assert!(matches!(foreign, Err(Error::ForeignRow { .. })), "{foreign:?}");
    assert_eq!(store.stats().foreign_rows, 0);
    Ok(())
}

/// Should a query forget the tenant, the row is withheld and counted.
pub async fn a_row_of_another_tenant_is_withheld(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    store.journal().commit(create(&scope("t-2"), 1)).await?;
    let query = Query::new("SELECT tenant_id, id FROM executions");
    let row = query.fetch_one(&mut store.read(&scope("t-2")).await?).await?;
    let mine = Columns::scoped(&row, "executions", &scope("t-2"), &store.counters);
    assert!(mine.is_ok());
    let foreign = Columns::scoped(&row, "executions", &scope("t-1"), &store.counters).map(drop);
    assert!(matches!(foreign, Err(Error::ForeignRow { table: "executions" })), "{foreign:?}");
    assert_eq!(store.stats().foreign_rows, 1);
    Ok(())
}

async fn fill(store: &Store, scope: &TenantScope) -> Check {
    store.intents(scope).create(intent(1, "web"), None).await?;
    let blueprint = super::blueprints::change("web", 0, Some("first"));
    store.blueprints(scope).write(blueprint).await?;
    let mut start = create(scope, 1);
    start.idempotency = Some(record("key-1", 1));
    store.journal().commit(start).await?;
    store.schedules(scope).create(schedule(1, "nightly"), 9).await?;
    Ok(())
}

async fn fill_effects(store: &Store, scope: &TenantScope, text: &str) -> Check {
    for holder in [Holder::Tenant, Holder::Execution(execution_id(1))] {
        let new = crate::NewArtifact { by: text.into(), ..artifact(text, holder, Some("app")) };
        store.artifacts(scope).record(new).await?;
    }
    store.key_value(scope).write(value("cursor", text)).await?;
    let tenant = scope.tenant().as_str();
    store.secrets(scope).add_key(tenant_key(tenant, 1, text)).await?;
    let secret = secret(tenant, "TOKEN", Environment::Test);
    let hosts = format!("[\"https://{text}.example\"]");
    store.secrets(scope).put(crate::SecretRow { hosts, ..secret }, sealed(1, text), 10).await?;
    Ok(())
}

/// All that a tenant's steps have stored, as text.
async fn effects(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    let mut all = String::new();
    for holder in [Holder::Tenant, Holder::Execution(execution_id(1))] {
        let filter = ArtifactFilter { holder, prefix: None };
        let page = store.artifacts(scope).list(&filter, PageRequest::first(10)).await?;
        all += &format!("{page:?}{:?}\n", store.artifacts(scope).by_name(holder, "app").await?);
    }
    let value = store.key_value(scope).get("acme:sync", "cursor", AT).await?;
    let text = value.map(|it| String::from_utf8_lossy(&it.value).into_owned());
    let secret = store.secrets(scope).get("TOKEN", Environment::Test).await?;
    all += &format!("{:?}\n{text:?}\n{secret:?}\n", store.artifacts(scope).usage().await?);
    all += &format!("{:?}\n", store.secrets(scope).list(PageRequest::first(10)).await?);
    all += &format!("{:?}", store.secrets(scope).current_key().await?);
    Ok(all)
}

/// All answers that a tenant can get, as text.
async fn everything(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    let page = || PageRequest::first(10);
    let name = intent(1, "web").name;
    let q = IntentFilter { q: Some("web".into()), ..IntentFilter::default() };
    Ok(format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        store.intents(scope).by_name(&name).await?,
        store.intents(scope).versions(&name, page()).await?,
        store.intents(scope).list(&q, page()).await?,
        store.executions(scope).load(&execution_id(1)).await?,
        store.executions(scope).events(&execution_id(1), 0, 10).await?,
        store.executions(scope).list(&ExecutionFilter::default(), page()).await?,
        store.idempotency(scope).lookup(&record("key-1", 1).key, AT).await?,
        store.installations(scope).list().await?,
        store.schedules(scope).get(&schedule(1, "nightly").name).await?,
        store.schedules(scope).by_uid(schedule(1, "nightly").uid).await?,
        store.schedules(scope).list(None, page()).await?,
        store.blueprints(scope).newest(&name).await?,
        store.blueprints(scope).list(page()).await?,
    ))
}
