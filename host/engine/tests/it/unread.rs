//! What a newer program wrote and this one does not understand: it is left to nodes that do, neither failed nor lost, and
//! holds nothing else back.

use std::collections::BTreeMap;

use quantum_core::id::ExecutionId;
use quantum_core::machine::{Command, EVENT_FORMAT};
use quantum_core::plan::PLAN_FORMAT;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{CommandError, ManualClock};
use quantum_store::{
    Announcement, Commit, EncodedEvent, ExecutionRow, NewExecution, Reader, RowUpdate, SharedPlan,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bench::{Bench, LEASE_MS, requester, step};

fn clock() -> std::sync::Arc<ManualClock> {
    std::sync::Arc::new(ManualClock::at(Timestamp::from_millis(1_763_892_000_000)))
}

fn waiting() -> Value {
    json!({ "steps": [{ "id": "go", "action": "core/signal", "name": "go" }, step("last")] })
}

/// What another node left behind: like an execution that waits for a signal, with one more event, or on another plan.
#[derive(Default)]
struct Left {
    owner: &'static str,
    event: Option<Value>,
    plan_format: Option<u32>,
}

async fn leave(bench: &Bench, left: Left) -> ExecutionId {
    let twin = bench.start(&waiting()).await;
    let stored = bench.store.executions(&bench.scope).load(&twin).await.unwrap().unwrap();
    let mut events = stored.events;
    let seq = stored.row.version + 1;
    if let Some(mut event) = left.event {
        event["seq"] = json!(seq);
        event["at"] = json!(stored.row.created_at);
        events.push(EncodedEvent { seq, json: event.to_string() });
    }
    let plan = match left.plan_format {
        None => stored.plan,
        Some(format) => {
            let mut document: Value = serde_json::from_str(stored.plan.json()).unwrap();
            document["format"] = json!(format);
            SharedPlan::new(document.to_string())
        }
    };
    let id = ExecutionId::from_uuid(Uuid::now_v7());
    let birth = birth(&stored.row, left.owner, plan, stored.input);
    let commit = Commit {
        scope: bench.scope.clone(),
        execution: id,
        expected_version: 0,
        epoch: 1,
        events,
        row: row(&stored.row),
        create: Some(Box::new(birth)),
        idempotency: None,
        used: Vec::new(),
    };
    bench.store.journal().commit(commit).await.unwrap();
    bench.engine.cancel(&bench.scope, &twin, requester(), None).await.unwrap();
    id
}

fn birth(of: &ExecutionRow, owner: &str, plan: SharedPlan, input: String) -> NewExecution {
    NewExecution {
        intent_uid: of.intent_uid,
        intent_name: of.intent_name.clone(),
        intent_version: of.intent_version,
        environment: of.environment,
        dry_run: false,
        requested_by: of.requested_by.clone(),
        labels: BTreeMap::new(),
        created_at: of.created_at,
        steps_total: of.steps_total,
        owner: Some(owner.to_owned()),
        lease_until: None,
        plan,
        input,
        origin: None,
        priority: 0,
        concurrency_key: None,
    }
}

fn row(of: &ExecutionRow) -> RowUpdate {
    RowUpdate {
        status: of.status,
        next_due: None,
        steps_done: of.steps_done,
        started_at: of.started_at,
        ended_at: None,
        summary: of.summary.clone(),
    }
}

async fn owner(bench: &Bench, id: &ExecutionId) -> (String, u64) {
    let row = bench.engine.row(&bench.scope, id).await.unwrap().unwrap();
    (row.owner.unwrap_or_default(), row.epoch)
}

fn signal() -> Command {
    Command::Signal { name: "go".to_owned(), payload: Value::Null, sent_by: requester() }
}

#[tokio::test]
async fn what_no_node_understands_is_left_once_and_holds_nothing_else_back() {
    let (first, second) = (clock(), clock());
    let a = Bench::node("a", first.clone(), None).await;
    let b = a.beside("b", second.clone()).await;
    let unknown = json!({ "v": EVENT_FORMAT, "type": "step_teleported", "step": "go" });
    let newer = json!({ "v": EVENT_FORMAT + 1, "type": "execution_resumed", "requested_by": requester() });
    let gone = || Left { owner: "gone", ..Left::default() };
    let beyond = [
        leave(&a, Left { event: Some(unknown), ..gone() }).await,
        leave(&a, Left { event: Some(newer), ..gone() }).await,
        leave(&a, Left { plan_format: Some(PLAN_FORMAT + 1), ..gone() }).await,
    ];
    let fine = leave(&a, gone()).await;
    for _ in 0..3 {
        for (bench, time) in [(&a, &first), (&b, &second)] {
            time.advance(LEASE_MS / 3);
            bench.engine.claims_settled().await;
        }
    }
    for id in &beyond {
        assert_eq!(owner(&a, id).await, (Reader::this().mark(), 3), "it was taken and left once");
        assert_eq!(a.engine.row(&a.scope, id).await.unwrap().unwrap().status, ExecutionStatus::Running);
        assert!(a.engine.view(&a.scope, id).await.unwrap_err().is_of_newer());
    }
    assert_eq!((a.engine.unread(), b.engine.unread()), (3, 3));
    a.engine.operate(&a.scope, &fine, signal()).await.unwrap();
    assert_eq!(b.end(&fine).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn what_an_older_program_left_is_taken_up() {
    let a = Bench::node("a", clock(), None).await;
    let id = leave(&a, Left { owner: "unread-by-1-0.0.1", ..Left::default() }).await;
    a.engine.claims_settled().await;
    assert_eq!((owner(&a, &id).await.0, a.engine.unread()), (a.engine.node().id.clone(), 0));
    a.engine.operate(&a.scope, &id, signal()).await.unwrap();
    assert_eq!(a.end(&id).await.status, ExecutionStatus::Succeeded);
}

/// Whoever asks for what no node reads is told so, and the execution stays as it is.
#[tokio::test]
async fn a_command_on_what_no_node_understands_is_refused_for_now() {
    let time = clock();
    let a = Bench::node("a", time.clone(), None).await;
    let unknown = json!({ "v": EVENT_FORMAT, "type": "step_teleported", "step": "go" });
    let id = leave(&a, Left { owner: "gone", event: Some(unknown), ..Left::default() }).await;
    a.engine.claims_settled().await;
    let mut heard = a.store.announcements();
    let later = async {
        while !matches!(heard.recv().await.unwrap(), Announcement::Command { .. }) {}
        time.advance(6 * LEASE_MS);
    };
    let (told, ()) = tokio::join!(a.engine.operate(&a.scope, &id, signal()), later);
    let Err(CommandError::Unavailable { reason, .. }) = told else { panic!("{told:?}") };
    assert!(reason.contains("runs a newer program"), "{reason}");
    assert_eq!(owner(&a, &id).await, (Reader::this().mark(), 3));
}
