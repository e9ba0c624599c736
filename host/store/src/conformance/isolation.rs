//! Two tenants with the same names and ids see nothing of each other.

use quantum_core::vocabulary::Environment;

use super::content::{effects, everything, fill, fill_effects};
use super::fixtures::{
    AT, create, execution_id, intent, schedule, scope, sealed, secret, version, with_tenants,
};
use super::{Check, Open};
use crate::database::{Columns, Query};
use crate::{Blobs, Change, Error, Holder};

/// What one tenant does to its things does not show in the other's answers.
pub async fn twins_do_not_see_each_other(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    fill(&store, &mine, "first").await?;
    let alone = everything(&store, &mine).await?;
    assert!(alone.contains("print-1") && alone.contains("\"about\\\":\\\"first"), "{alone}");
    assert!(!everything(&store, &other).await?.contains("first"), "nothing of the first tenant is there");
    fill(&store, &other, "first").await?;
    let change = Change { uid: intent(1, "web").uid, expected_revision: None, at: AT, idempotency: None };
    store.intents(&other).new_version(change, version("changed by the twin")).await?;
    store.blueprints(&other).write(super::blueprints::change("web", 1, Some("changed by the twin"))).await?;
    store.journal().commit(super::commit(&other, 1, 1, 3)).await?;
    store.schedules(&other).remove(schedule(1, "nightly").name, None).await?;
    assert_eq!(everything(&store, &mine).await?, alone);
    assert_eq!(store.stats().foreign_rows, 0);
    Ok(())
}

/// A tenant whose every text has a mark, which nobody else is ever shown.
pub async fn a_mark_of_one_tenant_is_shown_to_no_other(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2", "t-3"]).await?;
    let marked = scope("t-3");
    fill(&store, &marked, "canary").await?;
    fill_effects(&store, &marked, "canary").await?;
    let own = everything(&store, &marked).await? + &effects(&store, &marked).await?;
    assert!(own.matches("canary").count() > 15, "{own}");
    for scope in [scope("t-1"), scope("t-2")] {
        for is_filled in [false, true] {
            if is_filled {
                fill(&store, &scope, "mine").await?;
                fill_effects(&store, &scope, "mine").await?;
            }
            let shown = everything(&store, &scope).await? + &effects(&store, &scope).await?;
            assert_eq!(shown.contains("mine"), is_filled, "{shown}");
            assert!(!shown.contains("canary") && !shown.contains("t-3"), "{shown}");
        }
    }
    assert_eq!(store.stats().foreign_rows, 0);
    Ok(())
}

/// The same for what steps store: one twin changes and removes all of its own under the same names.
pub async fn twins_do_not_see_each_others_effects(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let (mine, other) = (scope("t-1"), scope("t-2"));
    fill_effects(&store, &mine, "mine").await?;
    let alone = effects(&store, &mine).await?;
    assert!(alone.matches("mine").count() >= 7, "{alone}");
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

/// The condition on the tenant is left out of every statement: what holds then.
#[cfg(test)]
mod tests {
    use super::super::content::{Answers, effects_answers, everything_answers};
    use super::*;
    use crate::database::FORGETS_TENANTS;
    use crate::postgres::fixtures;
    use crate::{Store, StoreOptions};

    async fn twins(open: &Open) -> Store {
        let store = with_tenants(open, &["t-1", "t-2"]).await.unwrap();
        for tenant in ["t-1", "t-2"] {
            fill(&store, &scope(tenant), tenant).await.unwrap();
            fill_effects(&store, &scope(tenant), tenant).await.unwrap();
        }
        store
    }

    async fn answers(store: &Store, tenant: &str) -> Answers {
        let scope = scope(tenant);
        let mut all = everything_answers(store, &scope).await;
        all.extend(effects_answers(store, &scope).await);
        all
    }

    #[tokio::test]
    async fn postgres_gives_the_same_answers() {
        let Some((_database, options)) = fixtures::prepared().await else { return };
        let store = twins(&fixtures::opener(options)).await;
        for tenant in ["t-1", "t-2"] {
            let forgetful = FORGETS_TENANTS.scope((), answers(&store, tenant)).await;
            for (said, forgot) in answers(&store, tenant).await.into_iter().zip(forgetful) {
                assert_eq!(said.1.unwrap(), forgot.1.unwrap(), "{tenant}: {}", said.0);
            }
        }
        assert_eq!(store.stats().foreign_rows, 0);
    }

    #[tokio::test]
    async fn sqlite_withholds_the_rows_and_counts_them() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("quantum.db"));
        let store = twins(&move || Box::pin(Store::open(options.clone()))).await;
        let (mut withheld, mut shown) = (0, Vec::new());
        for tenant in ["t-1", "t-2"] {
            let forgetful = FORGETS_TENANTS.scope((), answers(&store, tenant)).await;
            for (said, forgot) in answers(&store, tenant).await.into_iter().zip(forgetful) {
                match forgot.1 {
                    Err(Error::ForeignRow { .. }) => withheld += 1,
                    other if other.as_ref().ok() == said.1.as_ref().ok() => {}
                    other => shown.push(format!("{tenant}: {}: {other:?}", said.0)),
                }
            }
        }
        assert!(shown.is_empty(), "{shown:#?}");
        assert!(withheld > 30, "{withheld}");
        assert_eq!(store.stats().foreign_rows, withheld);
    }
}
