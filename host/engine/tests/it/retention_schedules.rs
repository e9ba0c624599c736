//! Executions of schedules that are over their time: none of them makes its due time start again.

use std::sync::Arc;

use quantum_core::id::{ExecutionId, ScheduleName, ScheduleUid};
use quantum_core::schedule::{DUE_LABEL, NAME_LABEL, Progress, Schedule, ScheduleDocument, execution_id};
use quantum_core::time::Timestamp;
use quantum_engine::{ManualClock, StartRequest};
use quantum_store::conformance::intent;
use quantum_store::{NewSchedule, ScheduleContent};
use serde_json::{Value, json};

use crate::bench::{Bench, requester, step};

const START: &str = "2026-03-28T22:00:00Z";
/// What the schedule is due for, once a year.
const DUE: &str = "2026-03-28T22:10:00Z";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

struct Yearly {
    bench: Bench,
    clock: Arc<ManualClock>,
    execution: ExecutionId,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn name() -> ScheduleName {
    ScheduleName::new("yearly").unwrap()
}

fn definition() -> Value {
    json!({ "steps": [step("a")] })
}

impl Yearly {
    /// `next_at`: when the loop looks at the schedule.
    async fn new(next_at: &str) -> Self {
        let clock = Arc::new(ManualClock::at(at(START)));
        let bench = Bench::with_clock(clock.clone()).await;
        bench.store.intents(&bench.scope).create(intent(1, "backup"), None).await.unwrap();
        bench.intents.definitions.lock().unwrap().insert("backup".into(), definition());
        let document = json!({
            "intent": "backup", "cron": "10 22 28 3 *", "time_zone": "UTC", "overlap": "skip", "catch_up": 5,
        });
        let document: ScheduleDocument = serde_json::from_value(document).unwrap();
        assert_eq!(Schedule::read(&document).unwrap().next_due(at(START)), Some(at(DUE)));
        let document = serde_json::to_string(&document).unwrap();
        let (intent_uid, owner) = (intent(1, "backup").uid, requester());
        let content = ScheduleContent { intent_uid, document, owner, next_at: at(next_at) };
        let uid = ScheduleUid::parse("0198c0de-0000-7abc-8def-0123456789ab").unwrap();
        let new = NewSchedule { uid, name: name(), content, paused: false, at: at(START) };
        bench.store.schedules(&bench.scope).create(new, 10).await.unwrap();
        bench.engine.schedules_settled().await;
        Self { bench, clock, execution: execution_id(uid, at(DUE)) }
    }

    async fn is_there(&self) -> bool {
        self.bench.engine.row(&self.bench.scope, &self.execution).await.unwrap().is_some()
    }

    /// Looks at what is over its time and at every schedule, of a host that has just started.
    async fn restart(&mut self) {
        self.bench.restart_with(self.clock.clone()).await;
        self.bench.engine.schedules_settled().await;
        self.bench.engine.retention_settled().await;
    }

    async fn started(&self) -> u64 {
        let row = self.bench.store.schedules(&self.bench.scope).get(&name()).await.unwrap().unwrap();
        serde_json::from_str::<Progress>(&row.progress).unwrap().counts.started
    }
}

#[tokio::test]
async fn a_due_time_is_not_started_again_when_its_execution_is_gone() {
    let mut it = Yearly::new(DUE).await;
    it.clock.set(at(DUE));
    it.bench.engine.schedules_settled().await;
    it.bench.end(&it.execution).await;
    it.clock.advance(31 * DAY_MS);
    it.bench.engine.retention_settled().await;
    assert!(!it.is_there().await);
    it.restart().await;
    assert!(!it.is_there().await);
    assert_eq!(it.started().await, 1);
}

#[tokio::test]
async fn an_execution_stays_until_its_schedule_has_noted_its_start() {
    // The host died between the start and its note, and nobody has looked at the schedule since.
    let mut it = Yearly::new("2027-01-01T00:00:00Z").await;
    it.clock.set(at(DUE));
    let labels = [(NAME_LABEL, name().to_string()), (DUE_LABEL, at(DUE).to_string())];
    let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let request = it.bench.request(&definition(), json!({}));
    it.bench.engine.start(StartRequest { id: it.execution, labels, ..request }).await.unwrap();
    it.bench.end(&it.execution).await;
    it.clock.advance(31 * DAY_MS);
    it.bench.engine.retention_settled().await;
    assert!(it.is_there().await && it.started().await == 0);
    it.restart().await;
    assert_eq!(it.started().await, 1, "it was found");
    it.bench.engine.retention_settled().await;
    assert!(!it.is_there().await);
    it.restart().await;
    assert!(!it.is_there().await && it.started().await == 1);
}
