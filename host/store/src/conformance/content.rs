//! A tenant that has something of everything, and all answers that it can get, as text.

use std::collections::BTreeMap;

use quantum_core::port::PrincipalKind;
use quantum_core::usage::Day;
use quantum_core::vocabulary::Environment;

use super::Check;
use super::fixtures::{
    AT, artifact, create, execution_id, intent, intent_uid, line, principal, record, schedule, scope, sealed,
    secret, tenant_key, value, version,
};
use crate::{
    ArtifactFilter, Change, Error, ExecutionFilter, Holder, Installation, IntentFilter, KeyValueWrite,
    LogFilter, Membership, NewIntent, NewSettings, NewVersion, PageRequest, Store, TenantScope, UsageFilter,
    UsageGroup,
};

/// Rows in every table that a tenant can have rows in. `text` is in many of them.
pub async fn fill_tenant(store: &Store, tenant: &str, text: &str) -> Check {
    let scope = scope(tenant);
    fill(store, &scope, text).await?;
    fill_effects(store, &scope, text).await?;
    let labels = BTreeMap::from([("team".to_owned(), text.to_owned())]);
    let change = Change { uid: intent(1, "web").uid, expected_revision: None, at: AT, idempotency: None };
    let labelled = NewVersion { labels: labels.clone(), ..version(&format!("{text} of web, Größe 7")) };
    store.intents(&scope).new_version(change, labelled).await?;
    let mut start = create(&scope, 2);
    if let Some(new) = start.create.as_mut() {
        new.labels = labels;
        new.input = format!("{{\"text\":\"{text} \u{1f980} '\\\\\"}}");
    }
    store.journal().commit(start).await?;
    store.journal().commit(super::commit(&scope, 2, 1, 3)).await?;
    store.logs().append(vec![line(&scope, 1, text), line(&scope, 1, "")]).await?;
    store.installations(&scope).upsert(super::installations::installation(&scope, "1.0.0")).await?;
    store.commands(&scope).put(super::commands::asked(1)).await?;
    let document = "{\"limits\":{\"weight\":7}}".to_owned();
    let settings = NewSettings { document, expected_revision: None, by: principal("alice"), at: AT };
    store.settings(&scope).put(settings).await?;
    let expires_at = Some(AT.plus_millis(1));
    let bytes = KeyValueWrite { value: vec![0, 255, 1], expires_at, ..value("bytes", "") };
    store.key_value(&scope).write(bytes).await?;
    Ok(())
}

/// A tenant that has no artifact any more.
pub async fn fill_and_empty(store: &Store, tenant: &str) -> Check {
    let scope = scope(tenant);
    store.artifacts(&scope).record(artifact("gone", Holder::Tenant, Some("app"))).await?;
    store.artifacts(&scope).remove_name(Holder::Tenant, "app", AT).await?;
    store.platform().purge_unheld_artifacts(AT, 10).await?;
    store.key_value(&scope).write(value("gone", "gone")).await?;
    store.key_value(&scope).delete("acme:sync", "gone").await?;
    Ok(())
}

/// A value under a key that a text of PostgreSQL cannot be.
pub async fn write_value_with_nul(store: &Store, tenant: &str) -> Check {
    store.key_value(&scope(tenant)).write(value("a\0b", "x")).await?;
    Ok(())
}

/// Everything that a tenant can read, as text.
pub async fn answers(store: &Store, tenant: &str, text: &str) -> Result<String, Error> {
    let scope = scope(tenant);
    let labelled =
        ExecutionFilter { label: Some(("team".into(), text.into())), ..ExecutionFilter::default() };
    let filter = LogFilter { execution: execution_id(1), step: None, after: 0, limit: 10 };
    let search = IntentFilter { q: Some("größe".into()), ..IntentFilter::default() };
    let platform = store.platform();
    let mut all = everything(store, &scope).await? + &effects(store, &scope).await?;
    for part in [
        format!("{:?}", store.executions(&scope).load(&execution_id(2)).await?),
        format!("{:?}", store.executions(&scope).list(&labelled, PageRequest::first(10)).await?),
        format!("{:?}", store.logs().list(&scope, &filter).await?),
        format!("{:?}", store.intents(&scope).list(&search, PageRequest::first(10)).await?),
        format!("{:?}", store.settings(&scope).get().await?),
        format!("{:?}", store.settings(&scope).in_force()),
        format!("{:?}", store.key_value(&scope).get("acme:sync", "bytes", AT).await?),
        format!("{:?}", store.secrets(&scope).get("TOKEN", Environment::Test).await?),
        format!("{:?}", store.commands(&scope).read(super::commands::id(1)).await?),
        format!("{:?}", platform.tenant(scope.tenant()).await?),
        format!("{:?}", platform.members(scope.tenant()).await?),
        format!("{:?}", platform.memberships_of(&principal("alice")).await?),
        format!("{:?}", platform.open_executions(None, 100).await?),
        format!("{:?}", platform.schedules(None, 100).await?),
    ] {
        all = all + "\n" + &part;
    }
    Ok(all)
}

/// Something in every table that people and executions fill. The same names whoever asks; `text` is in what they say.
pub(super) async fn fill(store: &Store, scope: &TenantScope, text: &str) -> Check {
    let labels = BTreeMap::from([("team".to_owned(), text.to_owned())]);
    let version = NewVersion { labels: labels.clone(), ..version(text) };
    store.intents(scope).create(NewIntent { version, ..intent(1, "web") }, None).await?;
    store.blueprints(scope).write(super::blueprints::change("web", 0, Some(text))).await?;
    let mut start = create(scope, 1);
    start.idempotency = Some(record("key-1", 1));
    start.used = vec![super::usage::used(7, "acme:sync", text, 9)];
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

pub(super) async fn fill_effects(store: &Store, scope: &TenantScope, text: &str) -> Check {
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
pub(super) type Answers = Vec<(&'static str, Result<String, Error>)>;

macro_rules! answers {
    ($($name:literal => $question:expr),+ $(,)?) => {
        vec![$(($name, $question.await.map(|answer| format!("{answer:?}")))),+]
    };
}

/// All that a tenant's steps have stored, as text.
pub(super) async fn effects(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    joined(effects_answers(store, scope).await)
}

/// All answers that a tenant can get otherwise, as text.
pub(super) async fn everything(store: &Store, scope: &TenantScope) -> Result<String, Error> {
    joined(everything_answers(store, scope).await)
}

fn joined(answers: Answers) -> Result<String, Error> {
    let mut all = String::new();
    for (name, answer) in answers {
        all += &format!("{name}: {}\n", answer?);
    }
    Ok(all)
}

pub(super) async fn effects_answers(store: &Store, scope: &TenantScope) -> Answers {
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

pub(super) async fn everything_answers(store: &Store, scope: &TenantScope) -> Answers {
    let page = || PageRequest::first(10);
    let (name, nightly, id) = (intent(1, "web").name, schedule(1, "nightly"), execution_id(1));
    let q = IntentFilter { q: Some("web".into()), ..IntentFilter::default() };
    let lines = LogFilter { execution: id, step: None, after: 0, limit: 10 };
    let open = ExecutionFilter { open_only: true, ..ExecutionFilter::default() };
    let (intents, executions, usage) = (store.intents(scope), store.executions(scope), store.usage(scope));
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
        "usage by day" => usage.list(&of_usage(UsageGroup::Day), page()),
        "usage by plugin" => usage.list(&of_usage(UsageGroup::Plugin), page()),
        "usage by action" => usage.list(&of_usage(UsageGroup::Action), page()),
        "usage of a day" => usage.of_day(Day::from_number(7)),
        "membership" => platform.membership(scope.tenant(), &principal("alice")),
        "members" => platform.members(scope.tenant()),
    }
}

fn of_usage(by: UsageGroup) -> UsageFilter {
    UsageFilter { from: Day::from_number(0), to: Day::from_number(9), plugin: None, by }
}

/// A key that is not there is an answer, too.
fn none<T>(error: Error) -> Result<Option<T>, Error> {
    match error {
        Error::NotFound { .. } => Ok(None),
        error => Err(error),
    }
}
