//! Executions that are over their time, on a manual clock: they go, into the archive first where it is asked for, and
//! nothing goes that somebody needs.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quantum_core::id::{ExecutionId, PrincipalId, TenantId};
use quantum_core::machine::Command;
use quantum_core::port::BoxFuture;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{CommandError, ManualClock};
use quantum_store::{
    ExecutionFilter, Fault, Faults, NewSettings, Page, PageRequest, Store, Tenant, TenantScope,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::bench::{Bench, Script, request, requester, step};

const START: &str = "2026-03-10T12:00:00Z";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A bench whose clock stands still.
struct Aged {
    bench: Bench,
    clock: Arc<ManualClock>,
}

impl Aged {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(faults: Option<Faults>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse(START).unwrap()));
        let bench = Bench::with(clock.clone(), faults).await;
        bench.engine.retention_settled().await;
        Self { bench, clock }
    }

    async fn pass(&self, millis: u64) {
        self.clock.advance(millis);
        self.bench.engine.retention_settled().await;
    }

    async fn run(&self) -> ExecutionId {
        self.bench.run(&json!({ "steps": [step("a")], "output": "${ steps.a.output }" })).await.id
    }

    async fn is_there(&self, id: &ExecutionId) -> bool {
        let (engine, scope) = (&self.bench.engine, &self.bench.scope);
        let row = engine.row(scope, id).await.unwrap().is_some();
        let view = engine.view(scope, id).await.unwrap().is_some();
        let feed = engine.follow(scope, id, 0).await.unwrap().is_some();
        assert_eq!([view, feed], [row, row], "everybody sees the same");
        row
    }

    async fn set(&self, settings: Value) {
        put(&self.bench.store, &self.bench.scope, settings).await;
    }

    async fn list(&self, after: Option<String>) -> Page<ExecutionId> {
        let page = PageRequest { limit: 2, after };
        let found =
            self.bench.engine.list(&self.bench.scope, &ExecutionFilter::default(), page).await.unwrap();
        Page { items: found.items.iter().map(|row| row.id).collect(), next: found.next }
    }

    fn archive(&self) -> PathBuf {
        self.bench.folder.path().join("archive")
    }
}

async fn put(store: &Store, scope: &TenantScope, settings: Value) {
    let (by, at) = (PrincipalId::new("ann").unwrap(), Timestamp::from_millis(0));
    let new = NewSettings { document: settings.to_string(), expected_revision: None, by, at };
    store.settings(scope).put(new).await.unwrap();
}

/// Names of files, and the lines in each.
fn files(folder: &Path) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".jsonl.gz") {
                let mut text = String::new();
                let file = std::fs::File::open(&path).unwrap();
                flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
                found.push((name, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

fn ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["execution_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_execution_goes_30_days_after_its_end() {
    let it = Aged::new().await;
    let id = it.run().await;
    it.pass(30 * DAY_MS - 1).await;
    assert!(it.is_there(&id).await);
    it.pass(1).await;
    assert!(!it.is_there(&id).await);
    assert_eq!((it.bench.engine.in_memory(), it.list(None).await.items), (0, vec![]));
    let cancelled = it.bench.engine.cancel(&it.bench.scope, &id, requester(), None).await;
    assert!(matches!(cancelled, Err(CommandError::NotFound)), "{cancelled:?}");
    let restarted = it.bench.engine.restart(&it.bench.scope, &id, requester()).await;
    assert!(matches!(restarted, Err(CommandError::NotFound)), "{restarted:?}");
    assert!(!it.archive().exists(), "nobody asked for it");
}

#[tokio::test]
async fn the_loop_wakes_by_itself_within_an_hour() {
    let it = Aged::new().await;
    let id = it.run().await;
    it.clock.advance(30 * DAY_MS);
    while it.bench.engine.row(&it.bench.scope, &id).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_tenant_has_its_own_days() {
    let it = Aged::new().await;
    let other = TenantId::new("tenant-9").unwrap();
    let made = Tenant { id: other.clone(), name: "Other".into(), created_at: Timestamp::from_millis(0) };
    it.bench.store.platform().create_tenant(made).await.unwrap();
    let other = TenantScope::for_tests(other);
    put(&it.bench.store, &other, json!({ "retention": { "executions_days": 1 } })).await;
    let ours = it.run().await;
    let theirs = request(&other, &it.bench.intents, &json!({ "steps": [step("a")] }));
    let theirs = it.bench.engine.start(theirs).await.unwrap().id;
    it.bench.engine.ended(&other, &theirs).await.unwrap();
    it.pass(DAY_MS - 1).await;
    assert!(it.bench.engine.row(&other, &theirs).await.unwrap().is_some());
    it.pass(1).await;
    assert!(it.bench.engine.row(&other, &theirs).await.unwrap().is_none());
    assert!(it.is_there(&ours).await);
}

#[tokio::test]
async fn more_than_a_batch_goes_in_one_round_and_pages_go_on() {
    let it = Aged::new().await;
    it.set(json!({ "retention": { "executions_days": 1, "archive": true } })).await;
    let definition = json!({ "steps": [step("a")] });
    let requests = (0..450).map(|_| it.bench.request(&definition, json!({}))).collect();
    let old: Vec<_> =
        it.bench.engine.start_all(requests).await.into_iter().map(|it| it.unwrap().id).collect();
    for id in &old {
        it.bench.engine.ended(&it.bench.scope, id).await.unwrap();
    }
    it.clock.advance(DAY_MS / 2);
    let young = [it.run().await, it.run().await, it.run().await];
    let first = it.list(None).await;
    assert_eq!(first.items, [young[2], young[1]]);
    it.pass(DAY_MS / 2).await;
    let rest = it.list(first.next).await;
    assert_eq!((rest.items, rest.next), (vec![young[0]], None), "the page after it, without what is gone");
    let lines: Vec<usize> = files(&it.archive()).iter().map(|(_, lines)| lines.len()).collect();
    assert_eq!(lines, [200, 200, 50]);
}

#[tokio::test]
async fn the_archive_holds_what_a_client_saw() {
    let it = Aged::new().await;
    it.set(json!({ "retention": { "executions_days": 1, "archive": true } })).await;
    let id = it.run().await;
    it.bench.script("a", &[Script::Permanent("broken")]);
    let failed = it.run().await;
    let (view, broken) = (it.bench.view(&id).await, it.bench.view(&failed).await);
    let (row, log) =
        (it.bench.engine.row(&it.bench.scope, &id).await.unwrap().unwrap(), it.bench.log(&id, 0).await);
    it.pass(DAY_MS).await;
    assert!(!it.is_there(&id).await && !it.is_there(&failed).await);
    let [(name, lines)] = files(&it.archive()).try_into().unwrap();
    assert_eq!(name, format!("20260310T120000000Z-{id}.jsonl.gz"));
    assert_eq!(ids(&lines), [id.to_string(), failed.to_string()]);
    let line = &lines[0];
    assert_eq!(line["format"], 1);
    assert_eq!(line["events"], json!(log));
    let view = json!(view);
    let same = ["intent", "intent_uid", "environment", "status", "requested_by", "created_at", "started_at"];
    for key in same.iter().chain(&["ended_at", "last_seq", "input", "error", "dry_run", "origin"]) {
        assert_eq!(line[key], view[key], "{key}");
    }
    assert_eq!((&line["labels"], &line["tenant_id"]), (&json!(row.labels), &json!(row.tenant)));
    let end = line["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&end["type"], &end["output"]), (&json!("execution_completed"), &view["output"]));
    assert_eq!(lines[1]["error"], json!(broken.error));
}

#[tokio::test]
async fn nothing_goes_while_the_archive_cannot_be_written() {
    let it = Aged::new().await;
    it.set(json!({ "retention": { "executions_days": 1, "archive": true } })).await;
    let id = it.run().await;
    std::fs::create_dir(it.archive()).unwrap();
    // Stands where the folder of the tenant has to be.
    let obstacle = it.archive().join("tenant-123");
    std::fs::write(&obstacle, "").unwrap();
    it.pass(10 * DAY_MS).await;
    assert!(it.is_there(&id).await);
    std::fs::remove_file(&obstacle).unwrap();
    it.pass(0).await;
    assert!(!it.is_there(&id).await);
    assert_eq!(ids(&files(&it.archive())[0].1), [id.to_string()]);
}

/// The store's flushes: the one that is caught waits, or fails.
struct Flushes {
    /// How many are let through before one is caught; `u64::MAX`: all.
    left: Arc<AtomicU64>,
    caught: mpsc::UnboundedReceiver<oneshot::Sender<Fault>>,
}

impl Flushes {
    fn new() -> (Self, Faults) {
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let (catch, caught) = mpsc::unbounded_channel();
        let count = left.clone();
        let faults = Faults::new(move |_| -> BoxFuture<'static, Fault> {
            let passed = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
                u64::MAX => None,
                0 => Some(u64::MAX),
                left => Some(left - 1),
            });
            let (answer, answered) = oneshot::channel();
            if passed == Ok(0) {
                catch.send(answer).unwrap();
                return Box::pin(async move { answered.await.unwrap() });
            }
            Box::pin(std::future::ready(Fault::None))
        });
        (Self { left, caught }, faults)
    }

    /// The `number`th flush from now on, from 1.
    fn catch(&self, number: u64) {
        self.left.store(number - 1, Ordering::SeqCst);
    }
}

/// A round begins with idempotency keys; the second flush is the one that removes.
const REMOVES: u64 = 2;

#[tokio::test]
async fn what_was_archived_and_not_removed_is_archived_again_in_its_place() {
    let (mut flushes, faults) = Flushes::new();
    let mut it = Aged::with(Some(faults)).await;
    it.set(json!({ "retention": { "executions_days": 1, "archive": true } })).await;
    let id = it.run().await;
    flushes.catch(REMOVES);
    it.clock.advance(DAY_MS);
    let removes = flushes.caught.recv().await.unwrap();
    let before = files(&it.archive());
    assert_eq!(before.iter().map(|(_, lines)| ids(lines)).collect::<Vec<_>>(), [[id.to_string()]]);
    removes.send(Fault::Refused).unwrap();
    it.bench.restart_with(it.clock.clone()).await;
    it.pass(0).await;
    assert!(!it.is_there(&id).await);
    assert_eq!(files(&it.archive()), before);
}

#[tokio::test]
async fn what_is_restarted_between_being_found_and_being_removed_stays() {
    let (mut flushes, faults) = Flushes::new();
    let it = Aged::with(Some(faults)).await;
    let first = it.run().await;
    // In another month, so that it goes after the first one, and is found with it.
    it.clock.set(Timestamp::parse("2026-04-01T00:00:00Z").unwrap());
    it.bench.script("a", &[Script::Permanent("broken")]);
    let second = it.run().await;
    it.bench.engine.retention_settled().await;
    it.set(json!({ "retention": { "executions_days": 1, "archive": true } })).await;
    flushes.catch(REMOVES);
    it.clock.advance(DAY_MS);
    let removes = flushes.caught.recv().await.unwrap();
    let restart = it.bench.engine.restart(&it.bench.scope, &second, requester());
    let release = async {
        while it.bench.store.queued() == 0 {
            tokio::task::yield_now().await;
        }
        removes.send(Fault::None).unwrap();
    };
    let (restarted, ()) = tokio::join!(restart, release);
    restarted.unwrap();
    assert_eq!(it.bench.end(&second).await.status, ExecutionStatus::Succeeded);
    it.pass(0).await;
    assert!(!it.is_there(&first).await && it.is_there(&second).await);
    let archived: Vec<_> = files(&it.archive()).into_iter().map(|(_, lines)| lines).collect();
    assert_eq!(archived.iter().map(|lines| ids(lines)).collect::<Vec<_>>(), [[first.to_string()]]);
    it.pass(DAY_MS).await;
    assert!(!it.is_there(&second).await, "its time began anew");
}

#[tokio::test]
async fn what_is_removed_while_it_is_being_restarted_is_not_there() {
    let (mut flushes, faults) = Flushes::new();
    let it = Aged::with(Some(faults)).await;
    it.bench.script("a", &[Script::Permanent("broken")]);
    let id = it.run().await;
    flushes.catch(REMOVES);
    it.clock.advance(30 * DAY_MS);
    let removes = flushes.caught.recv().await.unwrap();
    let restart = it.bench.engine.restart(&it.bench.scope, &id, requester());
    let release = async {
        while it.bench.store.queued() == 0 {
            tokio::task::yield_now().await;
        }
        removes.send(Fault::None).unwrap();
    };
    let (restarted, ()) = tokio::join!(restart, release);
    assert!(matches!(restarted, Err(CommandError::NotFound)), "{restarted:?}");
    assert_eq!(it.bench.engine.in_memory(), 0);
    assert!(!it.is_there(&id).await);
}

#[tokio::test]
async fn a_child_stays_as_long_as_its_parent_is_open() {
    let mut it = Aged::new().await;
    let child = json!({ "steps": [step("b")], "output": "${ input.n }" });
    it.bench.intents.definitions.lock().unwrap().insert("other".to_owned(), child);
    let call =
        json!({ "id": "call", "action": "core/execute-intent", "intent": "other", "input": { "n": 1 } });
    let hold = json!({ "id": "hold", "action": "core/signal" });
    let mut attempts = it.bench.attempts();
    let parent = it.bench.start(&json!({ "steps": [call, hold] })).await;
    attempts.recv().await.unwrap();
    let child = *it.list(None).await.items.iter().find(|id| **id != parent).unwrap();
    it.bench.end(&child).await;
    it.pass(40 * DAY_MS).await;
    assert!(it.is_there(&child).await && it.is_there(&parent).await);
    it.bench.restart_with(it.clock.clone()).await;
    it.pass(0).await;
    assert!(it.is_there(&child).await);
    let go = Command::Signal { name: "hold".into(), payload: json!({}), sent_by: requester() };
    while it.bench.engine.operate(&it.bench.scope, &parent, go.clone()).await.is_err() {
        tokio::task::yield_now().await;
    }
    it.bench.end(&parent).await;
    it.pass(0).await;
    assert!(!it.is_there(&child).await, "nobody asks for it any more");
    it.pass(30 * DAY_MS).await;
    assert!(!it.is_there(&parent).await);
    assert!(attempts.try_recv().is_err(), "the child was not started again");
}

#[tokio::test]
async fn shutting_down_does_not_wait_for_a_round() {
    let (mut flushes, faults) = Flushes::new();
    let it = Aged::with(Some(faults)).await;
    let id = it.run().await;
    flushes.catch(REMOVES);
    it.clock.advance(30 * DAY_MS);
    let removes = flushes.caught.recv().await.unwrap();
    it.bench.engine.shutdown().await;
    removes.send(Fault::None).unwrap();
    // A write that comes after it.
    it.bench.store.platform().purge_idempotency(Timestamp::from_millis(0)).await.unwrap();
    assert!(!it.is_there(&id).await, "what was under way was written");
}
