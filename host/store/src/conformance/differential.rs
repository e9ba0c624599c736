//! The same random commands on two stores: each answer is the same, and so is what they hold at the end. A seed that
//! fails can be run again by itself.

use quantum_core::usage::Day;
use quantum_core::vocabulary::{Environment, ExecutionStatus, IntentStatus};

use super::Check;
use super::content::{Answers, effects_answers, everything_answers};
use super::fixtures::{
    AT, artifact, commit, create, execution_id, intent, line, principal, record, schedule, scope, sealed,
    secret, tenant_key, value, version,
};
use crate::{
    Change, CommitError, CommitOutcome, Error, ExecutionFilter, Expected, Holder, IntentFilter,
    KeyValueWrite, NewSettings, NewVersion, PageRequest, ScheduleChange, ScheduleMark, ScheduleTarget, Store,
    TenantScope, UsageFilter, UsageGroup,
};

const TENANTS: [&str; 2] = ["t-1", "t-2"];
/// Of a description, and of names.
const QUESTIONS: [&str; 6] = ["SHIPS", "web-", "7", "worker app", "übung", "Größe"];
const DESCRIPTION: &str = "ships web-apps 7 Übungen";

/// Small numbers that follow from a seed: splitmix64, <https://prng.di.unimi.it/splitmix64.c>.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        all[at]
    }
}

/// `steps` commands that follow from `seed`, on both. Both are empty.
pub async fn same_commands_have_the_same_answers(one: &Store, other: &Store, seed: u64, steps: u64) -> Check {
    for store in [one, other] {
        for tenant in TENANTS {
            let id = scope(tenant).tenant().clone();
            store.platform().create_tenant(crate::Tenant { id, name: tenant.into(), created_at: AT }).await?;
        }
    }
    for step in 0..steps {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(step));
        let mut again = Chance(chance.0);
        let (said, also) = (act(one, &mut chance, step).await, act(other, &mut again, step).await);
        assert_eq!(said, also, "seed {seed}, step {step}");
    }
    for tenant in TENANTS {
        let (said, also) = (all(one, &scope(tenant)).await, all(other, &scope(tenant)).await);
        for ((question, said), (_, also)) in said.into_iter().zip(also) {
            assert_eq!(told(said), told(also), "seed {seed}, at the end, {tenant}: {question}");
        }
    }
    Ok(())
}

async fn all(store: &Store, scope: &TenantScope) -> Answers {
    let mut all = everything_answers(store, scope).await;
    all.extend(effects_answers(store, scope).await);
    for q in QUESTIONS {
        let found = IntentFilter { q: Some(q.into()), ..IntentFilter::default() };
        let page = store.intents(scope).list(&found, PageRequest::first(10)).await;
        all.push((q, page.map(|page| format!("{page:?}"))));
    }
    for number in 0..4 {
        let loaded = store.executions(scope).load(&execution_id(number)).await;
        all.push(("an execution", loaded.map(|loaded| format!("{loaded:?}"))));
    }
    all
}

/// One command, and what it was answered.
async fn act(store: &Store, chance: &mut Chance, step: u64) -> String {
    let scope = scope(chance.one_of(&TENANTS));
    match chance.below(12) {
        0 | 1 => told(start(store, &scope, chance).await),
        2..=4 => told(go_on(store, &scope, chance).await),
        5 => told(change_intent(store, &scope, chance, step).await),
        6 => told(change_blueprint(store, &scope, chance).await),
        7 => told(change_schedule(store, &scope, chance, step).await),
        8 => told(write_value(store, &scope, chance).await),
        9 => told(hold_artifact(store, &scope, chance).await),
        10 => told(keep_secret(store, &scope, chance).await),
        _ => told(look(store, &scope, chance, step).await),
    }
}

type Answer = Result<String, Error>;

/// Errors as people read them: what the databases say of it is theirs.
fn told(answer: Answer) -> String {
    answer.unwrap_or_else(|error| format!("error: {error}"))
}

fn shown<T: std::fmt::Debug>(answer: T) -> String {
    format!("{answer:?}")
}

async fn start(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let mut new = create(scope, chance.below(4));
    if chance.below(3) == 0 {
        new.idempotency = Some(record(chance.one_of(&["k-1", "k-2"]), chance.below(3)));
    }
    if let Some(made) = &mut new.create {
        made.labels.extend([("team".to_owned(), chance.one_of(&["web", "Größe", "z"]).to_owned())]);
        made.priority = i32::try_from(chance.below(3)).unwrap_or(0) - 1;
    }
    if chance.below(4) == 0 {
        new.row.status = ExecutionStatus::Queued;
    }
    let scopes = vec![new.clone(), create(scope, chance.below(4))];
    let answers = match chance.below(2) {
        0 => vec![store.journal().commit(new).await],
        _ => store.journal().commit_all(scopes).await,
    };
    Ok(answers.into_iter().map(committed).collect())
}

async fn go_on(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let (number, wrong) = (chance.below(4), chance.below(4));
    // Mostly what is due: else nearly all are refused.
    let row = store.executions(scope).get(&execution_id(number)).await?;
    let due = row.filter(|_| wrong > 0).map_or(wrong, |row| row.version);
    let mut next = commit(scope, number, due.max(1), 1 + chance.below(3));
    let plugin = chance.one_of(&["acme:sync", "acme:mail"]);
    let action = chance.one_of(&["pull", "Pull", "größe"]);
    next.used = vec![super::usage::used(5 + i64::from(wrong == 1), plugin, action, chance.below(9))];
    next.epoch = chance.one_of(&[1, 1, 1, 2]);
    if chance.below(4) == 0 {
        next.row.status = ExecutionStatus::Succeeded;
        next.row.ended_at = Some(AT.plus_millis(chance.below(50)));
    }
    Ok(committed(store.journal().commit(next).await))
}

/// What a database says of a row that it refuses is its own.
fn committed(answer: Result<CommitOutcome, CommitError>) -> String {
    match answer {
        Ok(outcome) => shown(outcome),
        Err(CommitError::Invalid { .. }) => "the commit is not valid".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

async fn change_intent(store: &Store, scope: &TenantScope, chance: &mut Chance, step: u64) -> Answer {
    let (intents, number) = (store.intents(scope), chance.below(3));
    let name = ["web", "Web-app", "worker"].map(str::to_lowercase)[number as usize].clone();
    let expected_revision = chance.one_of(&[None, None, Some(1), Some(2)]);
    let key = (chance.below(3) == 0).then(|| record(chance.one_of(&["i-1", "i-2"]), step));
    let uid = intent(number, &name).uid;
    let change = Change { uid, expected_revision, at: AT.plus_millis(step), idempotency: key.clone() };
    let labels = [("team".to_owned(), chance.one_of(&["a", "b"]).to_owned())].into();
    let next = NewVersion { labels, draft: chance.below(2) == 0, ..version(DESCRIPTION) };
    match chance.below(5) {
        0 | 1 => {
            let new = crate::NewIntent { version: version(DESCRIPTION), ..intent(number, &name) };
            Ok(shown(intents.create(new, key).await?))
        }
        2 => Ok(shown(intents.new_version(change, next).await?)),
        3 => Ok(shown(intents.activate(change, 1 + u32::try_from(chance.below(3)).unwrap_or(0)).await?)),
        _ => Ok(shown(intents.set_status(change, IntentStatus::Archived).await?)),
    }
}

async fn change_blueprint(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let text = chance.one_of(&[None, Some("one"), Some("two")]);
    let change = super::blueprints::change(chance.one_of(&["web", "worker"]), chance.below(3), text);
    Ok(shown(store.blueprints(scope).write(change).await?))
}

async fn change_schedule(store: &Store, scope: &TenantScope, chance: &mut Chance, step: u64) -> Answer {
    let new = schedule(chance.below(2), chance.one_of(&["nightly", "hourly"]));
    let (schedules, at) = (store.schedules(scope), AT.plus_millis(step));
    let expected_revision = chance.one_of(&[None, Some(1), Some(2)]);
    let change = |to| ScheduleChange { name: new.name.clone(), expected_revision, at, to };
    match chance.below(6) {
        0 | 1 => Ok(shown(schedules.create(new, 2).await?)),
        2 => Ok(shown(schedules.change(change(ScheduleTarget::Paused)).await?)),
        3 => Ok(shown(schedules.change(change(ScheduleTarget::Resumed { next_at: Some(at) })).await?)),
        4 => Ok(shown(schedules.remove(new.name, expected_revision).await?)),
        _ => {
            let mark = ScheduleMark {
                uid: new.uid,
                revision: 1 + chance.below(3),
                handled_until: AT.plus_millis(chance.below(100)),
                waiting: None,
                next_at: Some(at),
                progress: format!("{{\"step\":{step}}}"),
            };
            Ok(shown(schedules.mark(mark).await?))
        }
    }
}

async fn write_value(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let key = chance.one_of(&["cursor", "Cursor", "größe", ""]);
    let expected =
        chance.one_of(&[Expected::Anything, Expected::Absent, Expected::Revision(1), Expected::Revision(2)]);
    let expires_at = chance.one_of(&[None, Some(AT.plus_millis(5))]);
    let bytes = vec![u8::try_from(chance.below(256)).unwrap_or(0); chance.below(40) as usize];
    let now = AT.plus_millis(chance.below(10));
    let write = KeyValueWrite { value: bytes, expected, expires_at, now, ..value(key, "") };
    let values = store.key_value(scope);
    match chance.below(3) {
        0 => Ok(shown(values.delete("acme:sync", key).await?)),
        1 => Ok(shown(values.get("acme:sync", key, now).await?)),
        _ => Ok(shown(values.write(write).await?)),
    }
}

async fn hold_artifact(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let holder = chance.one_of(&[Holder::Tenant, Holder::Execution(execution_id(1))]);
    let name = chance.one_of(&[None, Some("app"), Some("App"), Some("a/ü")]);
    let new = artifact(chance.one_of(&["content", "other", "third"]), holder, name);
    let artifacts = store.artifacts(scope);
    match chance.below(4) {
        0 => Ok(shown(artifacts.remove_name(holder, name.unwrap_or("app"), AT).await?)),
        1 => Ok(shown(artifacts.check(&new).await?)),
        2 => Ok(shown(store.platform().purge_unheld_artifacts(AT, 10).await?)),
        _ => Ok(shown(artifacts.record(new).await?)),
    }
}

async fn keep_secret(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let (secrets, tenant) = (store.secrets(scope), scope.tenant().as_str());
    let name = chance.one_of(&["TOKEN", "KEY", "A"]);
    let environment = chance.one_of(&[Environment::Test, Environment::Production]);
    let key = 1 + u32::try_from(chance.below(2)).unwrap_or(0);
    match chance.below(5) {
        0 => Ok(shown(secrets.add_key(tenant_key(tenant, key, "master")).await?)),
        1 => Ok(shown(secrets.remove(name, environment).await?)),
        2 => Ok(shown(secrets.drop_keys(key).await?)),
        3 => Ok(shown(secrets.list(PageRequest::first(2)).await?)),
        _ => Ok(shown(secrets.put(secret(tenant, name, environment), sealed(key, "x"), 3).await?)),
    }
}

async fn look(store: &Store, scope: &TenantScope, chance: &mut Chance, step: u64) -> Answer {
    let (executions, cut) = (store.executions(scope), AT.plus_millis(chance.below(60)));
    let ids = vec![execution_id(chance.below(4))];
    let label = chance.one_of(&[None, Some("web"), Some("Größe")]).map(|team| ("team".into(), team.into()));
    let filter = ExecutionFilter { label, open_only: chance.below(2) == 0, ..ExecutionFilter::default() };
    let q = (chance.below(5) > 0).then(|| chance.one_of(&QUESTIONS));
    let found = IntentFilter { q: q.map(str::to_owned), ..IntentFilter::default() };
    let settings = NewSettings {
        document: format!("{{\"limits\":{{\"weight\":{}}}}}", 1 + chance.below(5)),
        expected_revision: chance.one_of(&[None, Some(0), Some(1)]),
        by: principal("alice"),
        at: AT,
    };
    match chance.below(11) {
        0 => Ok(shown(executions.list(&filter, PageRequest::first(2)).await?)),
        1 => Ok(shown(store.intents(scope).list(&found, PageRequest::first(2)).await?)),
        2 => Ok(shown(executions.expired(cut, None, 10).await?)),
        3 => Ok(shown(executions.purge(&ids, cut, AT).await?)),
        4 => Ok(shown(executions.sweep(AT, 1 + u32::try_from(chance.below(9)).unwrap_or(0)).await?)),
        5 => Ok(shown(executions.queued(3).await?)),
        6 => Ok(shown((executions.count_running().await?, executions.count_queued().await?))),
        7 => Ok(shown(store.settings(scope).put(settings).await?)),
        8 => Ok(shown(store.platform().purge_expired_values(AT.plus_millis(step), 10).await?)),
        9 => look_at_usage(store, scope, chance).await,
        _ => Ok(shown(store.logs().append(vec![line(scope, chance.below(4), "said")]).await?)),
    }
}

async fn look_at_usage(store: &Store, scope: &TenantScope, chance: &mut Chance) -> Answer {
    let by = chance.one_of(&[UsageGroup::Day, UsageGroup::Plugin, UsageGroup::Action]);
    let (from, to) = (Day::from_number(5), Day::from_number(6));
    let plugin = chance.one_of(&[None, Some("acme:sync")]).map(str::to_owned);
    let page = PageRequest::first(1 + u32::try_from(chance.below(3)).unwrap_or(0));
    Ok(shown(store.usage(scope).list(&UsageFilter { from, to, plugin, by }, page).await?))
}
