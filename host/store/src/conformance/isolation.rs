//! Two tenants with the same names and ids see nothing of each other.

use std::collections::BTreeMap;

use quantum_core::port::PrincipalKind;
use quantum_core::vocabulary::Environment;

use super::fixtures::{
    AT, artifact, create, execution_id, intent, intent_uid, line, principal, record, schedule, scope, sealed,
    secret, tenant_key, value, version, with_tenants,
};
use super::{Check, Open};
use crate::database::{Columns, Query};
use crate::{
    ArtifactFilter, Blobs, Change, Error, ExecutionFilter, Holder, Installation, IntentFilter, LogFilter,
    Membership, NewIntent, NewSettings, NewVersion, PageRequest, Store, TenantScope,
};

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

/// Something in every table that people and executions fill. The same names whoever asks; `text` is in what they say.
async fn fill(store: &Store, scope: &TenantScope, text: &str) -> Check {
    let labels = BTreeMap::from([("team".to_owned(), text.to_owned())]);
    let version = NewVersion { labels: labels.clone(), ..version(text) };
    store.intents(scope).create(NewIntent { version, ..intent(1, "web") }, None).await?;
    store.blueprints(scope).write(super::blueprints::change("web", 0, Some(text))).await?;
    let mut start = create(scope, 1);
    start.idempotency = Some(record("key-1", 1));
    if let Some(new) = &mut start.create {
        new.labels = labels;
        new.input = format!("\"{text}\"");
    }
    store.journal().commit(start).await?;
    store.logs().append(vec![line(scope, 1, text)]).await?;
    store.schedules(scope).create(schedule(1, "nightly"), 9).await?;
    let installation = super::installations::installation(scope, "1.0.0");
    store
        .installations(scope)
        .upsert(Installation { settings: format!("\"{text}\""), ..installation })
        .await?;
    let document = format!("{{\"classification\":\"{text}\"}}");
    let settings = NewSettings { document, expected_revision: None, by: principal("alice"), at: AT };
    store.settings(scope).put(settings).await?;
    for (id, kind) in [("alice", PrincipalKind::User), ("robot", PrincipalKind::ServiceAccount)] {
        let roles = vec![text.to_owned()];
        let (tenant, principal) = (scope.tenant().clone(), principal(id));
        let membership = Membership { tenant, principal, kind, roles, active: true };
        store.platform().upsert_membership(membership, AT).await?;
    }
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

/// What each question was answered.
type Answers = Vec<(&'static str, Result<String, Error>)>;

macro_rules! answers {
    ($($name:literal => $question:expr),+ $(,)?) => {
        vec![$(($name, $question.await.map(|answer| format!("{answer:?}")))),+]
    };
}

/// All that a tenant's steps have stored, as text.
async fn effects(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    joined(effects_answers(store, scope).await)
}

/// All answers that a tenant can get otherwise, as text.
async fn everything(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    joined(everything_answers(store, scope).await)
}

fn joined(answers: Answers) -> Result<String, Error> {
    let mut all = String::new();
    for (name, answer) in answers {
        all += &format!("{name}: {}\n", answer?);
    }
    Ok(all)
}

async fn effects_answers(store: &Store, scope: &TenantScope) -> Answers {
    let (artifacts, secrets, page) = (store.artifacts(scope), store.secrets(scope), PageRequest::first(10));
    let own = ArtifactFilter { holder: Holder::Tenant, prefix: None };
    let of_execution = ArtifactFilter { holder: Holder::Execution(execution_id(1)), prefix: None };
    let text = async {
        let value = store.key_value(scope).get("acme:sync", "cursor", AT).await?;
        Ok::<_, Error>(value.map(|it| (String::from_utf8_lossy(&it.value).into_owned(), it.revision)))
    };
    answers! {
        "artifacts of the tenant" => artifacts.list(&own, page.clone()),
        "artifacts of an execution" => artifacts.list(&of_execution, page.clone()),
        "artifact of the tenant" => artifacts.by_name(own.holder, "app"),
        "artifact of an execution" => artifacts.by_name(of_execution.holder, "app"),
        "usage" => artifacts.usage(),
        "value" => text,
        "secret" => secrets.get("TOKEN", Environment::Test),
        "environments of a secret" => secrets.environments("TOKEN"),
        "secrets" => secrets.list(page),
        "secrets under older keys" => secrets.older(9, 10),
        "key" => secrets.current_key(),
        "key by version" => async { secrets.key(1).await.map(Some).or_else(none) },
    }
}

async fn everything_answers(store: &Store, scope: &TenantScope) -> Answers {
    let page = || PageRequest::first(10);
    let (name, nightly, id) = (intent(1, "web").name, schedule(1, "nightly"), execution_id(1));
    let q = IntentFilter { q: Some("web".into()), ..IntentFilter::default() };
    let lines = LogFilter { execution: id, step: None, after: 0, limit: 10 };
    let open = ExecutionFilter { open_only: true, ..ExecutionFilter::default() };
    let (intents, executions) = (store.intents(scope), store.executions(scope));
    let (schedules, blueprints, platform) =
        (store.schedules(scope), store.blueprints(scope), store.platform());
    answers! {
        "intent" => intents.by_name(&name),
        "intent by uid" => intents.by_uid(&intent_uid(1)),
        "version" => intents.version(&name, 1),
        "versions" => intents.versions(&name, page()),
        "intents" => intents.list(&q, page()),
        "all intents" => intents.list(&IntentFilter::default(), page()),
        "execution" => executions.get(&id),
        "execution with its events" => executions.load(&id),
        "events" => executions.events(&id, 0, 10),
        "executions" => executions.list(&ExecutionFilter::default(), page()),
        "open executions" => executions.list(&open, page()),
        "log" => store.logs().list(scope, &lines),
        "idempotency" => store.idempotency(scope).lookup(&record("key-1", 1).key, AT),
        "installation" => store.installations(scope).get("quantum:http"),
        "installations" => store.installations(scope).list(),
        "settings" => store.settings(scope).get(),
        "schedule" => schedules.get(&nightly.name),
        "schedule by uid" => schedules.by_uid(nightly.uid),
        "schedules" => schedules.list(None, page()),
        "blueprint" => blueprints.newest(&name),
        "blueprint by revision" => blueprints.revision(&name, 1),
        "blueprints" => blueprints.list(page()),
        "membership" => platform.membership(scope.tenant(), &principal("alice")),
        "members" => platform.members(scope.tenant()),
    }
}

/// A key that is not there is an answer, too.
fn none<T>(error: Error) -> Result<Option<T>, Error> {
    match error {
        Error::NotFound { .. } => Ok(None),
        error => Err(error),
    }
}

/// The condition on the tenant is left out of every statement: what holds then.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreOptions;
    use crate::database::FORGETS_TENANTS;
    use crate::postgres::fixtures;

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
