//! Schedules on a manual clock: one execution a due time, whatever happens to hosts and clocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use quantum_core::id::{ScheduleName, ScheduleUid};
use quantum_core::problem::Problem;
use quantum_core::schedule::{Progress, Schedule, ScheduleDocument, execution_id};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::ExecutionStatus;
use quantum_engine::{Clock, ManualClock};
use quantum_store::conformance::intent;
use quantum_store::{
    ExecutionFilter, ExecutionRow, NewSchedule, PageRequest, ScheduleChange, ScheduleContent, ScheduleRow,
    ScheduleTarget,
};
use serde_json::{Value, json};

use crate::bench::{Bench, Script, requester, step};

const START: &str = "2026-03-28T22:00:00Z";
const MINUTE: u64 = 60_000;

/// A bench whose clock stands still, and a schedule on it.
struct Scheduled {
    bench: Bench,
    clock: Arc<ManualClock>,
    uid: ScheduleUid,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn name() -> ScheduleName {
    ScheduleName::new("nightly").unwrap()
}

fn document(changes: Value) -> ScheduleDocument {
    let mut document = json!({
        "intent": "backup", "cron": "*/10 * * * *", "time_zone": "Europe/Berlin", "overlap": "skip",
        "catch_up": 1, "input": { "keep": 7 }, "labels": { "team": "web" },
    });
    for (key, value) in changes.as_object().unwrap() {
        document[key] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

fn content(document: &ScheduleDocument, now: Timestamp) -> ScheduleContent {
    let next_at = Schedule::read(document).unwrap().next_due(now).unwrap();
    let document = serde_json::to_string(document).unwrap();
    ScheduleContent { intent_uid: intent(1, "backup").uid, document, owner: requester(), next_at }
}

impl Scheduled {
    async fn new(changes: Value) -> Self {
        let clock = Arc::new(ManualClock::at(at(START)));
        let bench = Bench::with_clock(clock.clone()).await;
        bench.store.intents(&bench.scope).create(intent(1, "backup"), None).await.unwrap();
        let published =
            json!({ "input": { "properties": { "keep": { "type": "integer" } } }, "steps": [step("a")] });
        bench.intents.definitions.lock().unwrap().insert("backup".into(), published);
        let uid = ScheduleUid::parse("0198c0de-0000-7abc-8def-0123456789ab").unwrap();
        let content = content(&document(changes), clock.now());
        let new = NewSchedule { uid, name: name(), content, paused: false, at: clock.now() };
        bench.store.schedules(&bench.scope).create(new, 10).await.unwrap();
        bench.engine.schedules_settled().await;
        Self { bench, clock, uid }
    }

    async fn pass(&self, minutes: u64) {
        self.clock.advance(minutes * MINUTE);
        self.bench.engine.schedules_settled().await;
    }

    async fn change(&self, to: ScheduleTarget) {
        let at = self.clock.now();
        let change = ScheduleChange { name: name(), expected_revision: None, at, to };
        self.bench.store.schedules(&self.bench.scope).change(change).await.unwrap();
        self.bench.engine.schedules_settled().await;
    }

    async fn row(&self) -> ScheduleRow {
        self.bench.store.schedules(&self.bench.scope).get(&name()).await.unwrap().unwrap()
    }

    async fn progress(&self) -> Progress {
        serde_json::from_str(&self.row().await.progress).unwrap()
    }

    /// `started missed overlapped refused`.
    async fn counts(&self) -> [u64; 4] {
        let counts = self.progress().await.counts;
        [counts.started, counts.missed, counts.overlapped, counts.refused]
    }

    /// Its executions as one finds them, the oldest first.
    async fn executions(&self) -> Vec<ExecutionRow> {
        let label = Some(("quantum.schedule".to_owned(), "nightly".to_owned()));
        let filter = ExecutionFilter { label, ..ExecutionFilter::default() };
        let store = self.bench.store.executions(&self.bench.scope);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.list(&filter, PageRequest { limit: 500, after }).await.unwrap();
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                found.reverse();
                return found;
            }
        }
    }

    /// The due times that were started, as UTC to the minute.
    async fn started(&self) -> Vec<String> {
        let due = |row: &ExecutionRow| row.labels["quantum.due"].get(11..16).unwrap().to_owned();
        self.executions().await.iter().map(due).collect()
    }

    async fn end(&self, id: quantum_core::id::ExecutionId) {
        self.bench.engine.ended(&self.bench.scope, &id).await.unwrap();
        self.bench.engine.schedules_settled().await;
    }
}

#[tokio::test]
async fn a_due_time_starts_an_execution_in_the_owners_name() {
    let it = Scheduled::new(json!({})).await;
    it.pass(9).await;
    assert!(it.executions().await.is_empty());
    it.pass(1).await;
    let [row] = it.executions().await.try_into().unwrap();
    let due = at("2026-03-28T22:10:00Z");
    assert_eq!((row.id, row.requested_by.clone()), (execution_id(it.uid, due), requester()));
    assert_eq!(row.labels["team"], "web");
    assert_eq!(row.labels["quantum.due"], due.to_string());
    let view = it.bench.end(&row.id).await;
    assert_eq!((view.status, view.input.as_ref()), (ExecutionStatus::Succeeded, &json!({ "keep": 7 })));
    let stored = it.row().await;
    assert_eq!((stored.handled_until, stored.next_at), (due, Some(due.plus_millis(10 * MINUTE))));
    let start = it.progress().await.last_start.unwrap();
    assert_eq!((start.due_at, start.execution), (due, row.id));
}

#[tokio::test]
async fn the_loop_wakes_by_itself_when_something_is_due() {
    let it = Scheduled::new(json!({})).await;
    let mut attempts = it.bench.attempts();
    for round in 0..3 {
        it.bench.engine.schedules_settled().await;
        it.clock.advance(10 * MINUTE);
        assert_eq!(attempts.recv().await, Some(("a".to_owned(), 1)), "{round}");
        let id = it.executions().await.last().unwrap().id;
        it.bench.end(&id).await;
    }
}

#[tokio::test]
async fn a_day_that_is_longer_has_its_due_times_once() {
    let it = Scheduled::new(json!({ "cron": "30 1-3 * * *", "catch_up": 5 })).await;
    // Berlin goes forward at 01:00 UTC.
    it.clock.set(at("2026-03-29T12:00:00Z"));
    it.bench.engine.schedules_settled().await;
    assert_eq!(it.started().await.first().map(String::as_str), Some("00:30"));
    it.clock.set(at("2026-10-24T23:00:00Z"));
    it.bench.engine.schedules_settled().await;
    let before = it.counts().await;
    for _ in 0..20 {
        let last = it.executions().await.last().unwrap().id;
        it.end(last).await;
        it.pass(15).await;
    }
    let [started, missed, overlapped, _] = it.counts().await;
    assert_eq!([started - before[0], missed - before[1], overlapped - before[2]], [3, 0, 0]);
    let found = it.started().await;
    assert_eq!(found[found.len() - 3..], ["23:30", "00:30", "02:30"], "the first of the two half past two");
}

#[tokio::test]
async fn what_was_missed_is_made_up_to_the_limit() {
    for (catch_up, expected) in [(0, vec![]), (1, vec!["23:00"]), (3, vec!["22:40", "22:50", "23:00"])] {
        let it = Scheduled::new(json!({ "catch_up": catch_up, "overlap": "allow" })).await;
        it.pass(65).await;
        assert_eq!(it.started().await, expected, "catch_up {catch_up}");
        assert_eq!(it.counts().await[..2], [expected.len() as u64, 6 - expected.len() as u64]);
    }
}

#[tokio::test]
async fn a_due_time_is_skipped_while_an_execution_runs() {
    let it = Scheduled::new(json!({})).await;
    it.bench.script("a", &[Script::UntilCancelled]);
    it.pass(10).await;
    it.pass(10).await;
    assert_eq!(it.counts().await, [1, 0, 1, 0]);
    let id = it.executions().await[0].id;
    it.bench.engine.cancel(&it.bench.scope, &id, requester(), None).await.unwrap();
    it.end(id).await;
    it.pass(10).await;
    assert_eq!(it.started().await, ["22:10", "22:30"]);
}

#[tokio::test]
async fn one_due_time_waits_for_the_execution_before_it() {
    let it = Scheduled::new(json!({ "overlap": "queue" })).await;
    it.bench.script("a", &[Script::UntilCancelled]);
    for _ in 0..3 {
        it.pass(10).await;
    }
    assert_eq!((it.counts().await, it.row().await.waiting), ([1, 0, 1, 0], Some(at("2026-03-28T22:20:00Z"))));
    let first = it.executions().await[0].id;
    let mut attempts = it.bench.attempts();
    it.bench.engine.cancel(&it.bench.scope, &first, requester(), None).await.unwrap();
    // Its end wakes the loop: nobody asks.
    assert_eq!(attempts.recv().await, Some(("a".to_owned(), 1)));
    it.bench.engine.schedules_settled().await;
    assert_eq!((it.started().await, it.row().await.waiting), (vec!["22:10".into(), "22:20".into()], None));
}

#[tokio::test]
async fn what_runs_is_cancelled_where_it_is_told() {
    let it = Scheduled::new(json!({ "overlap": "cancel_running" })).await;
    it.bench.script("a", &[Script::UntilCancelled]);
    it.pass(10).await;
    let first = it.executions().await[0].id;
    it.pass(10).await;
    it.end(first).await;
    let view = it.bench.view(&first).await;
    assert_eq!(view.status, ExecutionStatus::Cancelled);
    assert_eq!((it.started().await, it.counts().await), (vec!["22:10".into(), "22:20".into()], [2, 0, 0, 0]));
}

#[tokio::test]
async fn executions_run_beside_each_other_where_they_may() {
    let it = Scheduled::new(json!({ "overlap": "allow" })).await;
    it.bench.script("a", &[Script::Hang, Script::Hang, Script::Hang]);
    for _ in 0..3 {
        it.pass(10).await;
    }
    assert_eq!((it.counts().await, it.progress().await.running.len()), ([3, 0, 0, 0], 3));
    it.bench.engine.shutdown().await;
}

#[tokio::test]
async fn what_waited_when_the_host_stopped_starts_after_it() {
    let mut it = Scheduled::new(json!({ "overlap": "queue" })).await;
    it.bench.script("a", &[Script::Hang]);
    it.pass(10).await;
    it.pass(10).await;
    assert!(it.row().await.waiting.is_some());
    let first = it.executions().await[0].id;
    // The attempt is lost, and the next one echoes.
    it.bench.restart_with(it.clock.clone()).await;
    it.bench.end(&first).await;
    it.bench.engine.schedules_settled().await;
    assert_eq!((it.started().await, it.row().await.waiting), (vec!["22:10".into(), "22:20".into()], None));
}

#[tokio::test]
async fn a_refusal_is_told_and_the_next_due_time_is_asked_anew() {
    let it = Scheduled::new(json!({})).await;
    let refuse = |problem: Option<Problem>| {
        let mut refused = it.bench.intents.refused.lock().unwrap();
        match problem {
            Some(problem) => drop(refused.insert("backup".to_owned(), problem)),
            None => drop(refused.remove("backup")),
        }
    };
    refuse(Some(Problem::new("forbidden", "no policy allows it")));
    it.pass(10).await;
    it.pass(10).await;
    let progress = it.progress().await;
    assert_eq!((progress.counts.refused, progress.counts.refused_in_a_row), (2, 2));
    let error = progress.last_error.unwrap();
    assert_eq!((error.due_at, error.problem.code.as_str()), (at("2026-03-28T22:20:00Z"), "forbidden"));
    // What cannot be found out now is no refusal: it is asked again for the same due time.
    refuse(Some(Problem { retryable: true, ..Problem::new("store-unavailable", "later") }));
    it.pass(10).await;
    assert_eq!((it.counts().await, it.row().await.handled_until), ([0, 0, 0, 2], at("2026-03-28T22:20:00Z")));
    refuse(None);
    it.bench.engine.schedules_settled().await;
    assert_eq!(it.started().await, ["22:30"]);
    assert_eq!(it.progress().await.counts.refused_in_a_row, 0);
}

#[tokio::test]
async fn an_input_that_does_not_fit_any_more_is_a_refusal() {
    let it = Scheduled::new(json!({ "input": { "keep": "all" } })).await;
    it.pass(10).await;
    assert_eq!(it.progress().await.last_error.unwrap().problem.code, "invalid-input");
}

#[tokio::test]
async fn nothing_is_due_while_it_is_paused_and_nothing_is_made_up_after_it() {
    let it = Scheduled::new(json!({ "catch_up": 5 })).await;
    it.change(ScheduleTarget::Paused).await;
    it.pass(30).await;
    assert!(it.executions().await.is_empty());
    it.change(ScheduleTarget::Resumed { next_at: Some(at("2026-03-28T22:40:00Z")) }).await;
    assert_eq!(it.counts().await, [0, 0, 0, 0]);
    it.pass(10).await;
    assert_eq!(it.started().await, ["22:40"]);
}

#[tokio::test]
async fn a_changed_line_holds_from_then_on() {
    let it = Scheduled::new(json!({})).await;
    it.pass(5).await;
    let changed = document(json!({ "cron": "17 * * * *" }));
    it.change(ScheduleTarget::Content(content(&changed, it.clock.now()))).await;
    it.pass(5).await;
    assert!(it.executions().await.is_empty());
    it.pass(7).await;
    assert_eq!(it.started().await, ["22:17"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_starts_nothing_again() {
    let it = Scheduled::new(json!({ "overlap": "allow" })).await;
    it.pass(20).await;
    let before = it.started().await;
    it.clock.set(at(START));
    it.bench.engine.schedules_settled().await;
    it.pass(20).await;
    assert_eq!(it.started().await, before);
    it.pass(10).await;
    assert_eq!(it.started().await.len(), before.len() + 1);
}

/// The host died after the start was durable and before it was noted.
#[tokio::test]
async fn a_start_that_was_not_noted_is_found() {
    let mut it = Scheduled::new(json!({})).await;
    it.bench.engine.shutdown().await;
    let due = at("2026-03-28T22:10:00Z");
    it.clock.set(due);
    let stopped = it.row().await;
    it.bench.restart_with(it.clock.clone()).await;
    it.bench.engine.schedules_settled().await;
    it.bench.engine.shutdown().await;
    assert_eq!(it.counts().await, [1, 0, 0, 0]);
    // The note is taken back; what was started stays.
    forget(&it, &stopped).await;
    assert_eq!((it.row().await.handled_until, it.counts().await), (stopped.handled_until, [0, 0, 0, 0]));
    it.clock.set(due.plus_millis(30 * 60 * MINUTE));
    it.bench.restart_with(it.clock.clone()).await;
    it.bench.engine.schedules_settled().await;
    let found: BTreeSet<String> =
        it.executions().await.iter().map(|row| row.labels["quantum.due"].clone()).collect();
    assert_eq!(found.len(), it.executions().await.len(), "no due time twice");
    assert!(found.contains(&due.to_string()));
    assert_eq!(it.counts().await[0], found.len() as u64);
}

/// Makes the row what it was, as if the last notes had never been written.
async fn forget(it: &Scheduled, row: &ScheduleRow) {
    let schedules = it.bench.store.schedules(&it.bench.scope);
    schedules.remove(name(), None).await.unwrap();
    let document: ScheduleDocument = serde_json::from_str(&row.document).unwrap();
    let content = content(&document, row.handled_until);
    let new = NewSchedule { uid: row.uid, name: name(), content, paused: false, at: row.handled_until };
    schedules.create(new, 10).await.unwrap();
}

/// xorshift: the same turns each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[tokio::test]
async fn each_due_time_is_started_once_through_200_restarts_and_clock_changes() {
    let mut it = Scheduled::new(json!({ "overlap": "allow", "catch_up": 2, "jitter": "90s" })).await;
    let mut chance = Chance(0x5eed);
    let (mut latest, mut restarts, mut handled) = (it.clock.now(), 0, it.row().await.handled_until);
    while restarts < 200 {
        match chance.below(4) {
            0 => {
                let now = it.clock.now();
                let back = now.as_millis() - i64::try_from(chance.below(2 * 60 * MINUTE)).unwrap();
                it.clock.set(Timestamp::from_millis(back));
            }
            1 => it.clock.advance(chance.below(3 * 60 * MINUTE)),
            _ => it.clock.advance(chance.below(15 * MINUTE)),
        }
        latest = latest.max(it.clock.now());
        if chance.below(2) == 0 {
            it.bench.restart_with(it.clock.clone()).await;
            restarts += 1;
        }
        it.bench.engine.schedules_settled().await;
        let now_handled = it.row().await.handled_until;
        assert!(now_handled >= handled && now_handled <= latest, "handled is never behind, and never ahead");
        handled = now_handled;
    }
    let executions = it.executions().await;
    let started: BTreeSet<&String> = executions.iter().map(|row| &row.labels["quantum.due"]).collect();
    assert_eq!(started.len(), executions.len(), "no due time was started twice");
    let [counted, missed, overlapped, refused] = it.counts().await;
    assert_eq!((counted, overlapped, refused), (executions.len() as u64, 0, 0));
    let schedule = Schedule::read(&document(json!({}))).unwrap();
    let dues = std::iter::successors(schedule.next_due(at(START)), |due| schedule.next_due(*due));
    let dues: BTreeSet<String> = dues.take_while(|due| *due <= handled).map(|due| due.to_string()).collect();
    assert_eq!(dues.len() as u64, counted + missed, "each due time was started or counted as missed");
    assert!(started.iter().all(|due| dues.contains(*due)), "nothing was started that was not due");
    assert!(missed > 50 && counted > 50, "{counted} started, {missed} missed");
}
