//! Several nodes on one store: each has a clock of its own. One whose clock stands still is paused, as far as its lease goes;
//! one whose runtime is gone is dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use quantum_core::builtin::Wait;
use quantum_core::id::{ExecutionId, ScheduleName, ScheduleUid};
use quantum_core::machine::{Command, Refusal};
use quantum_core::port::{LogEntry, LogLine, LogSink, PrincipalKind, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use quantum_engine::{CommandError, FeedItem, ManualClock, StartRequest};
use quantum_store::conformance::intent;
use quantum_store::{
    Announcement, ExecutionFilter, Fault, Faults, NewSchedule, PageRequest, ScheduleContent,
};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::bench::{Bench, LEASE_MS, Script, requester, step, step_id};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_millis(1_763_892_000_000)))
}

/// Looks after which what is waited for will not come.
const LOOKS_MAX: usize = 20_000;

/// A node that can be killed: everything of it runs in a runtime of its own.
struct Mortal {
    runtime: Runtime,
    bench: Arc<Bench>,
}

impl Mortal {
    async fn new(faults: Option<Faults>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bench = runtime.spawn(async move { Bench::node("a", clock(), faults).await }).await.unwrap();
        Self { runtime, bench: Arc::new(bench) }
    }

    async fn start(&self, definition: Value) -> ExecutionId {
        let bench = self.bench.clone();
        self.runtime.spawn(async move { bench.start(&definition).await }).await.unwrap()
    }

    /// Nothing of it is run any more, and nobody is told.
    fn kill(self) -> Arc<Bench> {
        self.runtime.shutdown_background();
        self.bench
    }
}

fn signal(name: &str) -> Command {
    Command::Signal { name: name.to_owned(), payload: Value::Null, sent_by: requester() }
}

fn approve(name: &str) -> Command {
    let id = quantum_core::id::PrincipalId::new(name).unwrap();
    let approved_by = Requester { id, kind: PrincipalKind::User };
    Command::Approve { step: None, element: None, approved: true, approved_by, comment: None }
}

fn waits_for(name: &str) -> Value {
    json!({ "id": name, "action": "core/signal", "name": "go" })
}

/// Looks again and again, while everything else goes on. So often that whatever is to come has come.
#[track_caller]
fn until(what: impl AsyncFn() -> bool) -> impl Future<Output = ()> {
    let asked_at = std::panic::Location::caller();
    async move {
        for _ in 0..LOOKS_MAX {
            if what().await {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("what is waited for at {asked_at} never comes");
    }
}

fn completed(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains("step_completed")).count()
}

#[tokio::test]
async fn what_one_node_runs_every_other_one_shows_follows_and_commands() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let steps = [waits_for("go"), json!({ "id": "ok", "action": "core/approve" }), step("last")];
    let id = a.start(&json!({ "steps": steps })).await;
    assert_eq!(b.view(&id).await.steps[0].status, StepStatus::Waiting);
    let seen = async {
        let ((), log) =
            tokio::join!(async { drop(b.engine.ended(&b.scope, &id).await.unwrap()) }, b.lines(&id),);
        log
    };
    let told = async {
        b.engine.operate(&b.scope, &id, signal("go")).await.unwrap();
        assert_eq!(b.view(&id).await.steps[1].status, StepStatus::Waiting);
        b.engine.operate(&b.scope, &id, approve("bob")).await.unwrap();
    };
    let (log, ()) = tokio::join!(seen, told);
    assert_eq!(b.view(&id).await.status, ExecutionStatus::Succeeded);
    assert_eq!(log, a.lines(&id).await);
    assert_eq!((a.runner.keys.lock().unwrap().len(), b.runner.keys.lock().unwrap().len()), (1, 0));
    assert_eq!(b.engine.in_memory(), 0, "nothing of another node is kept");
}

/// Of a step that says something.
fn line(execution: ExecutionId, message: &str) -> LogLine {
    let entry =
        LogEntry::StepLog { level: "info".to_owned(), message: message.to_owned(), fields: Map::default() };
    let at = Timestamp::from_millis(0);
    LogLine { tenant: crate::bench::tenant(), execution, step: step_id("go"), attempt: 1, at, entry }
}

#[tokio::test]
async fn what_a_step_says_is_told_at_every_node_the_last_line_too() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let id = a.start(&json!({ "steps": [waits_for("go")] })).await;
    let mut feed = b.engine.follow(&b.scope, &id, 0).await.unwrap().unwrap();
    assert!(matches!(feed.next().await.unwrap(), Some(FeedItem::Events(_))));
    a.runner.logs.write(line(id, "first"));
    assert_eq!(feed.next().await.unwrap(), Some(FeedItem::Line(line(id, "first"))));
    b.engine.operate(&b.scope, &id, signal("go")).await.unwrap();
    a.runner.logs.write(line(id, "last"));
    let mut told = Vec::new();
    while let Some(item) = feed.next().await.unwrap() {
        told.push(item);
    }
    let lines: Vec<_> = told.into_iter().filter(|item| matches!(item, FeedItem::Line(_))).collect();
    assert_eq!(lines, [FeedItem::Line(line(id, "last"))]);
    // It has ended: nothing is told again.
    let mut late = b.engine.follow(&b.scope, &id, 0).await.unwrap().unwrap();
    assert!(matches!(late.next().await.unwrap(), Some(FeedItem::Events(_))));
    assert_eq!(late.next().await.unwrap(), None);
}

#[tokio::test]
async fn an_execution_of_another_node_is_cancelled_paused_and_resumed() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let id = a.start(&json!({ "steps": [waits_for("go")] })).await;
    let pause = Command::Pause { requested_by: requester(), reason: None };
    b.engine.operate(&b.scope, &id, pause).await.unwrap();
    assert_eq!(a.view(&id).await.status, ExecutionStatus::Paused);
    b.engine.operate(&b.scope, &id, Command::Resume { requested_by: requester() }).await.unwrap();
    b.engine.cancel(&b.scope, &id, requester(), Some("enough".to_owned())).await.unwrap();
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Cancelled);
}

#[tokio::test]
async fn a_refusal_is_the_same_from_every_node() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let schema = json!({ "type": "object", "required": ["n"] });
    let typed = json!({ "id": "go", "action": "core/signal", "name": "go", "schema": schema });
    let id = a.start(&json!({ "steps": [typed] })).await;
    let refused = async |bench: &Bench, command: Command| -> Refusal {
        match bench.engine.operate(&bench.scope, &id, command).await.unwrap_err() {
            CommandError::Refused(refusal) => refusal,
            other => panic!("{other}"),
        }
    };
    let resume = Command::Resume { requested_by: requester() };
    let restart = Command::Restart { requested_by: requester() };
    for command in [signal("stop"), signal("go"), approve("bob"), resume, restart] {
        assert_eq!(refused(&a, command.clone()).await, refused(&b, command).await);
    }
    let unknown = ExecutionId::from_uuid(Uuid::now_v7());
    let missing = b.engine.operate(&b.scope, &unknown, signal("go")).await.unwrap_err();
    assert!(matches!(missing, CommandError::NotFound), "{missing}");
}

#[tokio::test]
async fn what_a_dead_node_ran_is_finished_by_another_one() {
    let a = Mortal::new(None).await;
    a.bench.script("b", &[Script::Hang]);
    let mut attempts = a.bench.attempts();
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let id = a.start(json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    while attempts.recv().await.unwrap().0 != "b" {}
    let dead = a.kill();
    b.engine.claims_settled().await;
    assert_eq!((b.view(&id).await.status, b.engine.in_memory()), (ExecutionStatus::Running, 0));
    time.advance(LEASE_MS - 1);
    b.engine.claims_settled().await;
    assert_eq!(b.engine.in_memory(), 0, "its lease is not over");
    time.advance(1);
    let view = b.end(&id).await;
    assert_eq!(view.status, ExecutionStatus::Succeeded);
    assert_eq!(view.steps.iter().map(|step| step.attempts).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(completed(&b.lines(&id).await), 3, "one result a step");
    assert_eq!(dead.runner.keys.lock().unwrap().len(), 2);
    assert_eq!(b.runner.keys.lock().unwrap().len(), 2);
    let nodes = b.engine.nodes().await.unwrap();
    assert_eq!(nodes.iter().map(|row| row.alive).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn whoever_asks_for_what_a_dead_node_ran_has_it_at_once() {
    let a = Mortal::new(None).await;
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let id = a.start(json!({ "steps": [waits_for("go"), step("last")] })).await;
    let _dead = a.kill();
    // So that its own loop is not the one that takes it over.
    b.engine.claims_settled().await;
    time.advance(LEASE_MS);
    b.engine.operate(&b.scope, &id, signal("go")).await.unwrap();
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Succeeded);
}

/// Its attempt ends, and it does not know that it is not its own any more.
#[tokio::test]
async fn a_node_that_was_paused_for_longer_than_its_lease_cannot_write() {
    let a = Bench::node("a", clock(), None).await;
    let time = clock();
    let b = a.beside("b", time.clone()).await;
    let done = Arc::new(Notify::new());
    a.script("b", &[Script::Until(done.clone())]);
    let mut attempts = a.attempts();
    let id = a.start(&json!({ "steps": [step("a"), step("b"), step("c")] })).await;
    while attempts.recv().await.unwrap().0 != "b" {}
    let follows = a.lines(&id);
    let taken = async {
        time.advance(LEASE_MS);
        let view = b.end(&id).await;
        assert_eq!(a.engine.in_memory(), 1, "it does not know");
        done.notify_one();
        until(async || a.engine.in_memory() == 0).await;
        view
    };
    // Who follows it on the node that lost it sees all of it.
    let (lines, view) = tokio::join!(follows, taken);
    assert_eq!((view.status, view.steps[1].attempts), (ExecutionStatus::Succeeded, 2));
    assert_eq!(completed(&b.lines(&id).await), 3, "one result a step");
    assert_eq!(lines, b.lines(&id).await);
    assert_eq!(a.view(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_command_on_a_node_that_lost_the_execution_reaches_the_one_that_has_it() {
    let a = Bench::node("a", clock(), None).await;
    let time = clock();
    let b = a.beside("b", time.clone()).await;
    a.script("long", &[Script::UntilCancelled]);
    b.script("long", &[Script::UntilCancelled]);
    let (mut first, mut second) = (a.attempts(), b.attempts());
    let id = a.start(&json!({ "steps": [step("long")] })).await;
    first.recv().await.unwrap();
    time.advance(LEASE_MS);
    second.recv().await.unwrap();
    a.engine.cancel(&a.scope, &id, requester(), None).await.unwrap();
    assert_eq!(a.end(&id).await.status, ExecutionStatus::Cancelled);
    assert_eq!(a.engine.in_memory(), 0);
}

#[tokio::test]
async fn a_node_that_wakes_up_lets_go_of_what_others_took_and_keeps_the_rest() {
    let (sleeping, time) = (clock(), clock());
    let a = Bench::node("a", sleeping.clone(), None).await;
    let b = a.beside("b", time.clone()).await;
    a.script("long", &[Script::UntilCancelled]);
    b.script("long", &[Script::Hang]);
    let mut attempts = a.attempts();
    let taken = a.start(&json!({ "steps": [step("long")] })).await;
    attempts.recv().await.unwrap();
    let kept = a.start(&json!({ "steps": [waits_for("go")] })).await;
    let later = Timestamp::from_millis(1_763_892_000_000).plus_millis(LEASE_MS);
    assert!(b.store.executions(&b.scope).claim(&taken, &b.engine.node().id, later).await.unwrap());
    assert_eq!(a.engine.in_memory(), 1);
    outlives(&b).await;
    sleeping.advance(LEASE_MS);
    until(async || a.engine.in_memory() == 0).await;
    a.engine.operate(&a.scope, &kept, signal("go")).await.unwrap();
    assert_eq!(a.end(&kept).await.status, ExecutionStatus::Succeeded);
    assert_eq!(a.engine.row(&a.scope, &kept).await.unwrap().unwrap().epoch, 1, "it was its own all the time");
    a.engine.cancel(&a.scope, &taken, requester(), None).await.unwrap();
    assert_eq!(b.end(&taken).await.status, ExecutionStatus::Cancelled);
}

#[tokio::test]
async fn a_node_that_is_shut_down_hands_over_at_once() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    a.script("b", &[Script::Hang]);
    let mut attempts = a.attempts();
    let id = a.start(&json!({ "steps": [step("a"), step("b")] })).await;
    while attempts.recv().await.unwrap().0 != "b" {}
    a.engine.shutdown().await;
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Succeeded);
    assert_eq!(completed(&b.lines(&id).await), 2);
}

#[tokio::test]
async fn a_command_to_a_dead_node_reaches_the_next_owner() {
    let a = Mortal::new(None).await;
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let id = a.start(json!({ "steps": [waits_for("go"), step("last")] })).await;
    let _dead = a.kill();
    let mut heard = b.store.announcements();
    let asked = async {
        while !matches!(heard.recv().await.unwrap(), Announcement::Command { .. }) {}
        time.advance(LEASE_MS);
    };
    let (told, ()) = tokio::join!(b.engine.operate(&b.scope, &id, signal("go")), asked);
    told.unwrap();
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_command_that_nobody_takes_is_withdrawn() {
    let a = Mortal::new(None).await;
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let id = a.start(json!({ "steps": [waits_for("go")] })).await;
    let a = a.kill();
    // Somebody extends its lease, and does nothing else.
    outlives(&a).await;
    let mut heard = b.store.announcements();
    let asked = async {
        while !matches!(heard.recv().await.unwrap(), Announcement::Command { .. }) {}
        time.advance(6 * LEASE_MS);
    };
    let (told, ()) = tokio::join!(b.engine.operate(&b.scope, &id, signal("go")), asked);
    assert!(matches!(told, Err(CommandError::Unavailable { .. })), "{told:?}");
    assert!(b.store.platform().take_commands(&a.engine.node().id, 10).await.unwrap().is_empty());
}

/// So that one connection that died without a word does not cost the lease.
#[tokio::test]
async fn a_heartbeat_that_is_not_answered_is_sent_again_before_the_lease_is_over() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let (silent, asked) = (is_silent.clone(), Arc::new(Notify::new()));
    let heard = asked.clone();
    let faults = Faults::new(move |_| {
        let (silent, asked) = (silent.load(Ordering::SeqCst), asked.clone());
        Box::pin(async move {
            if silent {
                asked.notify_one();
                std::future::pending::<()>().await;
            }
            Fault::None
        })
    });
    let time = clock();
    let a = Bench::node("a", time.clone(), Some(faults)).await;
    a.engine.claims_settled().await;
    a.engine.schedules_settled().await;
    a.engine.retention_settled().await;
    is_silent.store(true, Ordering::SeqCst);
    time.advance(LEASE_MS / 3);
    heard.notified().await;
    let first = a.store.queued();
    time.advance(LEASE_MS / 3);
    until(async || a.store.queued() > first).await;
}

fn clock_now() -> Timestamp {
    Timestamp::from_millis(1_763_892_000_000)
}

/// The node dies between the commit of a command and its answer.
#[tokio::test]
async fn a_command_that_was_done_and_not_answered_is_not_done_again() {
    let allowed = Arc::new(AtomicU64::new(u64::MAX));
    let left = allowed.clone();
    let faults = Faults::new(move |_| {
        let one = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        Box::pin(std::future::ready(if one.is_ok() { Fault::None } else { Fault::Refused }))
    });
    let a = Mortal::new(Some(faults)).await;
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let id = a.start(json!({ "steps": [waits_for("first"), waits_for("second"), step("last")] })).await;
    for bench in [&a.bench, &b] {
        bench.engine.claims_settled().await;
        bench.engine.schedules_settled().await;
        bench.engine.retention_settled().await;
    }
    // It is asked, taken, and done; its answer is not taken by the store.
    allowed.store(3, Ordering::SeqCst);
    let asked = tokio::spawn({
        let (engine, scope) = (b.engine.clone(), b.scope.clone());
        async move { engine.operate(&scope, &id, signal("go")).await }
    });
    until(async || b.view(&id).await.steps[0].status == StepStatus::Succeeded).await;
    let _dead = a.kill();
    allowed.store(u64::MAX, Ordering::SeqCst);
    time.advance(LEASE_MS);
    asked.await.unwrap().unwrap();
    assert_eq!(b.view(&id).await.steps[1].status, StepStatus::Waiting, "one signal is one");
    assert_eq!(b.engine.row(&b.scope, &id).await.unwrap().unwrap().epoch, 2);
    b.engine.operate(&b.scope, &id, signal("go")).await.unwrap();
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn of_starts_on_two_nodes_no_more_run_than_may_and_all_have_their_turn() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let limited = json!({
        "concurrency": { "key": "input.tenant", "limit": 2, "on_limit": "queue" }, "steps": [waits_for("go")],
    });
    let request = a.request(&limited, json!({ "tenant": "x" }));
    let starts = (0..12).map(|number| {
        let request = StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), ..request.clone() };
        let engine = if number % 2 == 0 { &a.engine } else { &b.engine };
        engine.start(request)
    });
    let started = futures::future::join_all(starts).await;
    let mut left: Vec<ExecutionId> = started.into_iter().map(|started| started.unwrap().id).collect();
    while !left.is_empty() {
        let mut running = Vec::new();
        until(async || running_of(&a, &left).await.len() == left.len().min(2)).await;
        running.extend(running_of(&a, &left).await);
        assert_eq!(running.len(), left.len().min(2), "no more than may");
        a.engine.operate(&a.scope, &running[0], signal("go")).await.unwrap();
        assert_eq!(b.end(&running[0]).await.status, ExecutionStatus::Succeeded);
        left.retain(|id| *id != running[0]);
    }
}

async fn running_of(bench: &Bench, ids: &[ExecutionId]) -> Vec<ExecutionId> {
    let mut running = Vec::new();
    for id in ids {
        let row = bench.engine.row(&bench.scope, id).await.unwrap().unwrap();
        if row.status == ExecutionStatus::Running {
            running.push(*id);
        }
    }
    assert!(running.len() <= 2, "{running:?}");
    running
}

/// What waits for a place on a dead node, too.
#[tokio::test]
async fn who_waits_for_a_place_is_taken_over_and_starts() {
    let a = Mortal::new(None).await;
    let time = clock();
    let b = a.bench.beside("b", time.clone()).await;
    let limited = json!({
        "concurrency": { "key": "'x'", "limit": 1, "on_limit": "queue" }, "steps": [waits_for("go")],
    });
    let request = a.bench.request(&limited, json!({}));
    let again = || StartRequest { id: ExecutionId::from_uuid(Uuid::now_v7()), ..request.clone() };
    let first = b.engine.start(again()).await.unwrap().id;
    let (bench, waiting) = (a.bench.clone(), again());
    let second = a.runtime.spawn(async move { bench.engine.start(waiting).await }).await.unwrap().unwrap().id;
    assert_eq!(b.view(&second).await.status, ExecutionStatus::Queued);
    let _dead = a.kill();
    time.advance(LEASE_MS);
    b.engine.operate(&b.scope, &first, signal("go")).await.unwrap();
    until(async || b.view(&second).await.status == ExecutionStatus::Running).await;
    b.engine.operate(&b.scope, &second, signal("go")).await.unwrap();
    assert_eq!(b.end(&second).await.status, ExecutionStatus::Succeeded);
}

/// For everybody else its lease lasts, while its own clock stands still.
async fn outlives(bench: &Bench) {
    bench.store.nodes().register(bench.engine.node(), 1_000 * LEASE_MS, clock_now()).await.unwrap();
}

fn parent() -> Value {
    let call = json!({ "id": "call", "action": "core/execute-intent", "intent": "other" });
    json!({ "steps": [call, step("last")] })
}

/// A parent on the first node whose child the second one has taken over.
async fn parted(a: &Bench, b: &Bench) -> (ExecutionId, ExecutionId) {
    a.intents.definitions.lock().unwrap().insert("other".to_owned(), json!({ "steps": [waits_for("go")] }));
    let id = a.start(&parent()).await;
    let Some(Wait::Child { execution_id, .. }) = a.view(&id).await.steps[0].waiting.clone() else {
        panic!("it waits for a child")
    };
    // Whoever views what is about to leave the memory keeps it there.
    until(async || {
        let row = a.engine.row(&a.scope, &execution_id).await.unwrap();
        row.is_some() && a.engine.in_memory() == 0
    })
    .await;
    let later = clock_now().plus_millis(LEASE_MS);
    assert!(b.store.executions(&b.scope).claim(&execution_id, &b.engine.node().id, later).await.unwrap());
    (id, execution_id)
}

#[tokio::test]
async fn a_parent_is_told_of_a_child_that_ended_on_another_node() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let (parent, child) = parted(&a, &b).await;
    a.engine.operate(&a.scope, &child, signal("go")).await.unwrap();
    assert_eq!(b.end(&parent).await.status, ExecutionStatus::Succeeded);
    let owner = async |id| a.engine.row(&a.scope, id).await.unwrap().unwrap().owner;
    assert_eq!(owner(&parent).await.as_deref(), Some(&*a.engine.node().id));
    assert_eq!(owner(&child).await.as_deref(), Some(&*b.engine.node().id));
}

#[tokio::test]
async fn a_child_on_another_node_is_cancelled_with_its_parent() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    let (parent, child) = parted(&a, &b).await;
    b.engine.cancel(&b.scope, &parent, requester(), None).await.unwrap();
    assert_eq!(a.end(&parent).await.status, ExecutionStatus::Cancelled);
    assert_eq!(a.end(&child).await.status, ExecutionStatus::Cancelled);
}

/// The other node dies after the end of the child and before it could tell: as if it had never known the parent.
#[tokio::test]
async fn a_parent_sees_the_end_of_a_child_that_nobody_tells() {
    let sleeping = clock();
    let a = Bench::node("a", sleeping.clone(), None).await;
    let b = a.beside("b", clock()).await;
    let (parent, child) = parted(&a, &b).await;
    outlives(&b).await;
    // It learns that it was away, and looks through what is its own.
    sleeping.advance(LEASE_MS);
    a.engine.claims_settled().await;
    until(async || a.engine.in_memory() == 1).await;
    // What the child's log says when it is cancelled is what another one's says.
    let twin = a.start(&json!({ "steps": [waits_for("go")] })).await;
    let stored = a.store.executions(&a.scope).load(&child).await.unwrap().unwrap();
    a.engine.cancel(&a.scope, &twin, requester(), None).await.unwrap();
    let ended = a.engine.row(&a.scope, &twin).await.unwrap().unwrap();
    let row = quantum_store::RowUpdate {
        status: ended.status,
        next_due: None,
        steps_done: ended.steps_done,
        started_at: ended.started_at,
        ended_at: ended.ended_at,
        summary: ended.summary,
    };
    let version = stored.row.version;
    let commit = quantum_store::Commit {
        scope: a.scope.clone(),
        execution: child,
        expected_version: version,
        epoch: stored.row.epoch,
        events: a.store.executions(&a.scope).events(&twin, version, 100).await.unwrap(),
        row,
        create: None,
        idempotency: None,
        used: Vec::new(),
    };
    a.store.journal().commit(commit).await.unwrap();
    sleeping.advance(1_000);
    assert_eq!(a.end(&parent).await.status, ExecutionStatus::Failed);
}

#[tokio::test]
async fn what_has_ended_on_one_node_is_restarted_on_another() {
    let a = Bench::node("a", clock(), None).await;
    let b = a.beside("b", clock()).await;
    a.script("a", &[Script::Permanent("broken")]);
    let id = a.start(&json!({ "steps": [step("a")] })).await;
    assert_eq!(b.end(&id).await.status, ExecutionStatus::Failed);
    b.engine.restart(&b.scope, &id, requester()).await.unwrap();
    assert_eq!(a.end(&id).await.status, ExecutionStatus::Succeeded);
    let row = a.engine.row(&a.scope, &id).await.unwrap().unwrap();
    assert_eq!((row.owner.as_deref(), row.epoch), (Some(&*b.engine.node().id), 2));
}

/// Each due time is started once, by whichever node leads; when it goes, the other one goes on.
#[tokio::test]
async fn a_schedule_is_started_once_by_whichever_node_leads() {
    let (first, second) = (clock(), clock());
    let a = Bench::node("a", first.clone(), None).await;
    let b = a.beside("b", second.clone()).await;
    a.store.intents(&a.scope).create(intent(1, "backup"), None).await.unwrap();
    a.intents.definitions.lock().unwrap().insert("backup".to_owned(), json!({ "steps": [step("a")] }));
    let document = json!({ "intent": "backup", "cron": "* * * * *", "time_zone": "UTC", "overlap": "allow", "catch_up": 10 });
    let content = ScheduleContent {
        intent_uid: intent(1, "backup").uid,
        document: document.to_string(),
        owner: requester(),
        next_at: clock_now(),
    };
    let (uid, name) = (ScheduleUid::from_uuid(Uuid::now_v7()), ScheduleName::new("often").unwrap());
    let new = NewSchedule { uid, name, content, paused: false, at: clock_now() };
    a.store.schedules(&a.scope).create(new, 10).await.unwrap();
    for minute in 1..=6 {
        // Both are due, in steps that no lease is shorter than.
        for _ in 0..20 {
            for (bench, clock) in [(&a, &first), (&b, &second)] {
                if minute <= 3 || bench.engine.node().name == "b" {
                    clock.advance(3_000);
                    bench.engine.claims_settled().await;
                }
            }
        }
        a.engine.schedules_changed();
        b.engine.schedules_settled().await;
        until(async || {
            // Who leads may change in between, and time stands still.
            a.engine.schedules_changed();
            started(&b).await >= minute
        })
        .await;
        assert_eq!(started(&b).await, minute);
        if minute == 3 {
            a.engine.shutdown().await;
        }
    }
}

async fn started(bench: &Bench) -> usize {
    let page = PageRequest::first(100);
    bench.engine.list(&bench.scope, &ExecutionFilter::default(), page).await.unwrap().items.len()
}
