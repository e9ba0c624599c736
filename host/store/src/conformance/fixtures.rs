//! Data that the topics share: fixed ids and times, so that a failure reads the same each time.

use std::collections::BTreeMap;

use quantum_core::id::{
    ExecutionId, IdError, IntentName, IntentUid, PrincipalId, ScheduleName, ScheduleUid, StepId, TenantId,
};
use quantum_core::port::{LogEntry, LogLine, PrincipalKind, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Environment, ExecutionStatus, IntentStatus};
use tokio::sync::oneshot;

use super::Open;
use crate::{
    ArtifactQuota, Blobs, Commit, EncodedEvent, Error, Expected, Holder, IdempotencyKey, IdempotencyRecord,
    KeyValueQuota, KeyValueWrite, NewArtifact, NewExecution, NewIntent, NewSchedule, NewVersion, RowUpdate,
    ScheduleContent, SealedSecret, SecretRow, SharedPlan, Store, Tenant, TenantKey, TenantScope,
};

pub(super) const AT: Timestamp = Timestamp::from_millis(1_763_892_000_000);

/// The store with these tenants in it.
pub async fn with_tenants(open: &Open, tenants: &[&str]) -> Result<Store, Error> {
    let store = open().await?;
    for tenant in tenants {
        let id = scope(tenant).tenant().clone();
        store.platform().create_tenant(Tenant { id, name: tenant.to_uppercase(), created_at: AT }).await?;
    }
    Ok(store)
}

pub fn scope(tenant: &str) -> TenantScope {
    TenantScope::for_tests(TenantId::new(tenant).expect("a tenant id"))
}

pub fn execution_id(number: u64) -> ExecutionId {
    uuid(number, ExecutionId::parse)
}

pub(super) fn intent_uid(number: u64) -> IntentUid {
    uuid(number, IntentUid::parse)
}

fn uuid<T>(number: u64, parse: impl Fn(&str) -> Result<T, IdError>) -> T {
    parse(&format!("0198c0de-0000-7000-8000-{number:012x}")).expect("a UUID")
}

pub(super) fn principal(id: &str) -> PrincipalId {
    PrincipalId::new(id).expect("a principal id")
}

/// `from` is the first event's seq.
fn events(from: u64, count: u64) -> Vec<EncodedEvent> {
    let event = |seq| EncodedEvent { seq, json: format!("{{\"seq\":{seq},\"type\":\"step_started\"}}") };
    (from..from + count).map(event).collect()
}

/// A commit on top of `expected_version`, with this many events.
pub fn commit(scope: &TenantScope, execution: u64, expected_version: u64, count: u64) -> Commit {
    Commit {
        scope: scope.clone(),
        execution: execution_id(execution),
        expected_version,
        epoch: 1,
        events: events(expected_version + 1, count),
        row: RowUpdate {
            status: ExecutionStatus::Running,
            next_due: None,
            steps_done: u32::try_from(expected_version).unwrap_or(u32::MAX),
            started_at: Some(AT),
            ended_at: None,
            summary: "{}".into(),
        },
        create: None,
        idempotency: None,
        used: Vec::new(),
    }
}

/// The commit that creates an execution, with one event.
pub fn create(scope: &TenantScope, execution: u64) -> Commit {
    let new = NewExecution {
        intent_uid: intent_uid(1),
        intent_name: IntentName::new("deploy").expect("an intent name"),
        intent_version: 1,
        environment: Environment::Development,
        dry_run: false,
        requested_by: Requester { id: principal("alice"), kind: PrincipalKind::User },
        labels: BTreeMap::new(),
        created_at: AT,
        steps_total: 3,
        owner: Some("node-1".into()),
        lease_until: None,
        plan: SharedPlan::new(r#"{"steps":[]}"#),
        origin: None,
        priority: 0,
        concurrency_key: None,
        input: r#"{"tag":"1.0"}"#.into(),
    };
    Commit { create: Some(Box::new(new)), ..commit(scope, execution, 0, 1) }
}

/// A record whose answer and fingerprint tell who wrote it.
pub(super) fn record(key: &str, writer: u64) -> IdempotencyRecord {
    IdempotencyRecord {
        key: IdempotencyKey {
            principal: principal("alice"),
            route: "execute_intent".into(),
            key: key.into(),
        },
        fingerprint: format!("print-{writer}"),
        response: format!("{{\"execution\":{writer}}}"),
        at: AT,
    }
}

/// Version 1 of an intent of this name.
pub fn intent(number: u64, name: &str) -> NewIntent {
    NewIntent {
        uid: intent_uid(number),
        name: IntentName::new(name).expect("an intent name"),
        status: IntentStatus::Active,
        version: version("first"),
    }
}

/// A version that becomes active. Its description is also in its definition.
pub(super) fn version(description: &str) -> NewVersion {
    NewVersion {
        description: description.into(),
        labels: BTreeMap::new(),
        environment: Environment::Development,
        definition: serde_json::json!({ "steps": [], "about": description }).to_string(),
        created_by: principal("alice"),
        at: AT,
        draft: false,
    }
}

/// An artifact whose bytes are the text.
pub(super) fn artifact(text: &str, holder: Holder, name: Option<&str>) -> NewArtifact {
    NewArtifact {
        digest: Blobs::digest(text.as_bytes()),
        bytes: text.len() as u64,
        media_type: None,
        holder,
        name: name.map(str::to_owned),
        by: "alice".into(),
        at: AT,
        quota: ArtifactQuota { bytes_max: 1_000, artifacts_max: 100, names_max: 100 },
    }
}

/// A value of the plugin `acme:sync`, whatever is there.
pub(super) fn value(key: &str, text: &str) -> KeyValueWrite {
    KeyValueWrite {
        plugin: "acme:sync".into(),
        key: key.into(),
        value: text.into(),
        expires_at: None,
        expected: Expected::Anything,
        now: AT,
        quota: KeyValueQuota { entries_max: 100, bytes_max: 1_000 },
    }
}

pub(super) fn secret(tenant: &str, name: &str, environment: Environment) -> SecretRow {
    SecretRow {
        tenant: scope(tenant).tenant().clone(),
        name: name.into(),
        environment,
        hosts: r#"["https://api.example.com"]"#.into(),
        expires_at: None,
        version: 1,
        created_at: AT,
        created_by: principal("alice"),
        updated_at: AT,
        updated_by: principal("alice"),
    }
}

/// A schedule of the first intent, made at `AT` and to be looked at soon after.
pub(super) fn schedule(number: u64, name: &str) -> NewSchedule {
    NewSchedule {
        uid: uuid(number, ScheduleUid::parse),
        name: ScheduleName::new(name).expect("a schedule name"),
        content: ScheduleContent {
            intent_uid: intent_uid(1),
            document: r#"{"cron":"0 * * * *"}"#.into(),
            owner: Requester { id: principal("alice"), kind: PrincipalKind::User },
            next_at: AT.plus_millis(10),
        },
        paused: false,
        at: AT,
    }
}

/// As if it were encrypted: the store does not know better.
pub(super) fn sealed(key_version: u32, text: &str) -> SealedSecret {
    SealedSecret { key_version, nonce: b"nonce".to_vec(), ciphertext: text.as_bytes().to_vec() }
}

pub(super) fn tenant_key(tenant: &str, version: u32, master: &str) -> TenantKey {
    let tenant = scope(tenant).tenant().clone();
    TenantKey { tenant, version, master: master.into(), wrapped: b"wrapped".to_vec(), created_at: AT }
}

/// Keeps the writer inside a transaction, so that all commits sent meanwhile land in one batch after it. Send on what is
/// given, or drop it, to let it go on.
pub async fn hold(store: &Store) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel::<()>();
    let (began, begun) = oneshot::channel();
    let writer = store.writer.clone();
    tokio::spawn(async move {
        let held = writer.run_then(move |_| Box::pin(wait(began, released)), |()| {});
        held.await
    });
    begun.await.expect("the writer runs");
    release
}

/// As `hold`, for the changes of one tenant that are not commits.
pub(super) async fn hold_changes(store: &Store, scope: &TenantScope) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel::<()>();
    let (began, begun) = oneshot::channel();
    let (store, scope) = (store.clone(), scope.clone());
    tokio::spawn(async move { store.write(&scope, move |_| Box::pin(wait(began, released))).await });
    begun.await.expect("a change can begin");
    release
}

async fn wait(began: oneshot::Sender<()>, released: oneshot::Receiver<()>) -> Result<(), Error> {
    began.send(()).ok();
    released.await.ok();
    Ok(())
}

/// What a step said.
pub(super) fn line(scope: &TenantScope, execution: u64, message: &str) -> LogLine {
    LogLine {
        tenant: scope.tenant().clone(),
        execution: execution_id(execution),
        step: StepId::new("build").expect("a step id"),
        attempt: 1,
        at: AT,
        entry: LogEntry::StepLog {
            level: "info".into(),
            message: message.into(),
            fields: Default::default(),
        },
    }
}
