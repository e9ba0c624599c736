//! Whatever is asked of an execution, in whatever order: its log is whole, and its state is the sum of its log.

use std::sync::Arc;

use proptest::prelude::*;
use quantum_core::machine::{Admission, Command, Effect, Event, EventKind, Execution, Refusal, Turn, apply};
use quantum_core::plan::Plan;
use quantum_core::port::{AttemptOutcome, AttemptReport, Bill, Failure, FailureKind};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use serde_json::{Map, Value, json};

use crate::script::decision;
use crate::support::{alice, new_execution, plan, state_of};

/// One thing that somebody does; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Act {
    Start,
    AdmitReady { allowed: bool },
    AdmitAny { step: usize },
    Settle { running: usize, outcome: AttemptOutcome, chance: f64 },
    SettleAny { step: usize, attempt: u32 },
    Cancel,
    Pass { millis: i64 },
}

/// The live execution, and the one that a host makes from the journal after a crash.
struct World {
    live: Execution,
    stored: Execution,
    now: i64,
    ended: usize,
}

impl World {
    fn new(plan: &Arc<Plan>) -> Self {
        let make = || new_execution(plan.clone(), json!({ "n": 1 }));
        Self { live: make(), stored: make(), now: 0, ended: 0 }
    }

    fn turn(&mut self, commands: impl FnOnce(&mut Turn<'_>)) {
        let mut turn = Turn::new(&mut self.live, Timestamp::from_millis(self.now));
        commands(&mut turn);
        let (events, effects) = turn.finish();
        for event in &events {
            self.store(event);
        }
        check_effects(&events, &effects);
        self.ended += effects.iter().filter(|effect| **effect == Effect::Ended).count();
        assert_eq!(state_of(&self.stored), state_of(&self.live));
        check_state(&self.live);
    }

    /// Through its stored form, as recovery reads it.
    fn store(&mut self, event: &Event) {
        let text = serde_json::to_string(event).unwrap();
        let read: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(read, *event, "{text}");
        assert_eq!(read.seq, self.stored.last_seq + 1);
        if let EventKind::StepStarted { step, attempt, .. } = &read.kind {
            let at = self.stored.plan.position(step.as_str()).unwrap();
            let planned = &self.stored.plan.document.steps[at];
            let before = |other: &usize| self.stored.steps[*other].status == StepStatus::Succeeded;
            assert!(planned.waits_for.iter().all(before), "{step} started before what it waits for");
            assert_eq!(*attempt, self.stored.steps[at].attempt + 1);
            assert!(*attempt <= planned.retry.max_attempts, "{step} has too many attempts");
            assert!(!self.stored.is_stopping(), "{step} started in an execution that stops");
        }
        apply(&mut self.stored, &read).unwrap();
    }

    fn act(&mut self, act: &Act) {
        let was_terminal = self.live.status.is_terminal();
        let last_seq = self.live.last_seq;
        match act {
            Act::Pass { millis } => {
                self.now += millis;
                self.turn(|turn| drop(turn.run(Command::Wake)));
            }
            Act::AdmitReady { allowed } => self.turn(|turn| admit_ready(turn, *allowed)),
            _ => {
                let command = self.command(act);
                self.turn(|turn| drop::<Result<(), Refusal>>(turn.run(command)));
            }
        }
        assert!(!was_terminal || self.live.last_seq == last_seq, "an event after the end");
    }

    fn command(&self, act: &Act) -> Command {
        let count = self.live.steps.len();
        match act {
            Act::Start => Command::Start,
            Act::Cancel => Command::Cancel { requested_by: alice(), reason: None },
            Act::AdmitAny { step } => Command::Admit { step: step % (count + 1), admission: start() },
            Act::SettleAny { step, attempt } => {
                settle(step % (count + 1), *attempt, AttemptOutcome::Completed(json!(1)), 0.5)
            }
            Act::Settle { running, outcome, chance } => {
                let all: Vec<usize> =
                    (0..count).filter(|at| self.live.steps[*at].status == StepStatus::Running).collect();
                let step = all.get(running % all.len().max(1)).copied().unwrap_or(0);
                settle(step, self.live.steps[step].attempt, outcome.clone(), *chance)
            }
            Act::AdmitReady { .. } | Act::Pass { .. } => Command::Wake,
        }
    }

    /// Every running attempt answers, every ready step starts, and time passes where nothing else can happen.
    fn run_to_the_end(&mut self) {
        self.turn(|turn| drop(turn.run(Command::Start)));
        let bound =
            self.live.plan.document.steps.iter().map(|s| s.retry.max_attempts as usize * 3).sum::<usize>();
        for _ in 0..bound + 3 {
            if self.live.status.is_terminal() {
                break;
            }
            self.now = self.live.next_due().map_or(self.now, |due| self.now.max(due.as_millis()));
            self.turn(|turn| admit_ready(turn, true));
            for step in 0..self.live.steps.len() {
                let state = &self.live.steps[step];
                if state.status == StepStatus::Running {
                    let outcome = failure(FailureKind::Retryable, "busy", None);
                    let command = settle(step, state.attempt, outcome, 0.5);
                    self.turn(|turn| turn.run(command).unwrap());
                }
            }
        }
        assert!(self.live.status.is_terminal(), "it never ends: {:?}", self.live);
        assert_eq!(self.ended, 1, "the end is told once");
    }
}

fn start() -> Admission {
    Admission::Start { parameters: "{}".to_owned(), decision: decision(true) }
}

fn admit_ready(turn: &mut Turn<'_>, allowed: bool) {
    while let Some(step) = turn.next_ready() {
        let refuse = Admission::Refuse {
            error: Problem::new("policy-denied", "the policies refuse the start"),
            decision: Some(decision(false)),
        };
        let admission = if allowed { start() } else { refuse };
        turn.run(Command::Admit { step, admission }).unwrap();
    }
}

fn settle(step: usize, attempt: u32, outcome: AttemptOutcome, chance: f64) -> Command {
    let bill =
        Bill { cpu_us: 1, wall_us: 2, memory_bytes_peak: 3, host_calls: 4, sent_bytes: 5, received_bytes: 6 };
    Command::Settle { step, attempt, report: AttemptReport { outcome, bill }, chance }
}

fn failure(kind: FailureKind, code: &str, retry_after_ms: Option<u64>) -> AttemptOutcome {
    AttemptOutcome::Failed(Failure { kind, problem: Problem::new(code, "it did not work"), retry_after_ms })
}

/// What is released is what was written: a run for a start, a wake for a retry, the end for the last event.
fn check_effects(events: &[Event], effects: &[Effect]) {
    let events = |is: fn(&EventKind) -> bool| events.iter().filter(|event| is(&event.kind)).count();
    let effects = |is: fn(&Effect) -> bool| effects.iter().filter(|effect| is(effect)).count();
    let starts = events(|kind| matches!(kind, EventKind::StepStarted { .. }));
    assert_eq!(starts, effects(|effect| matches!(effect, Effect::Run { .. })));
    let retries = events(|kind| matches!(kind, EventKind::StepRetrying { .. }));
    assert_eq!(retries, effects(|effect| matches!(effect, Effect::Wake { .. })));
    assert_eq!(events(EventKind::is_last), effects(|effect| matches!(effect, Effect::Ended)));
}

fn check_state(execution: &Execution) {
    let all = |status: StepStatus| execution.steps.iter().all(|step| step.status == status);
    match execution.status {
        ExecutionStatus::Queued => assert!(all(StepStatus::Pending) && execution.last_seq == 0),
        ExecutionStatus::Running => {
            let open = execution.steps.iter().any(|step| !step.status.is_terminal());
            assert!(open, "it runs though nothing is left to do");
        }
        ExecutionStatus::Succeeded => assert!(all(StepStatus::Succeeded) && execution.output.is_some()),
        ExecutionStatus::Failed => assert!(execution.error.is_some() && !execution.cancel_requested),
        ExecutionStatus::Cancelled => assert!(execution.cancel_requested),
        other => panic!("no command leads to {other}"),
    }
    assert_eq!(execution.ended_at.is_some(), execution.status.is_terminal());
    if execution.status.is_terminal() {
        assert_eq!(execution.steps_done(), execution.steps.len());
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let fields = proptest::collection::vec((".{0,4}", inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_failure() -> impl Strategy<Value = AttemptOutcome> {
    let kinds = [
        FailureKind::Permanent,
        FailureKind::Retryable,
        FailureKind::Trap,
        FailureKind::Timeout,
        FailureKind::CpuLimit,
        FailureKind::InvalidOutput,
        FailureKind::Denied,
        FailureKind::HostFault,
        FailureKind::Lost,
    ];
    let after = proptest::option::of(prop_oneof![0_u64..5_000, any::<u64>()]);
    (proptest::sample::select(kinds.to_vec()), proptest::sample::select(vec!["busy", "gone"]), after)
        .prop_map(|(kind, code, after)| failure(kind, code, after))
}

fn any_outcome() -> impl Strategy<Value = AttemptOutcome> {
    prop_oneof![
        4 => any_json().prop_map(AttemptOutcome::Completed),
        4 => any_failure(),
        1 => Just(AttemptOutcome::Cancelled),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::Start),
        6 => prop::bool::weighted(0.95).prop_map(|allowed| Act::AdmitReady { allowed }),
        1 => (0_usize..8).prop_map(|step| Act::AdmitAny { step }),
        6 => (0_usize..8, any_outcome(), 0.0..1.0_f64)
            .prop_map(|(running, outcome, chance)| Act::Settle { running, outcome, chance }),
        1 => (0_usize..8, 0_u32..5).prop_map(|(step, attempt)| Act::SettleAny { step, attempt }),
        1 => prop::bool::weighted(0.3).prop_map(|yes| if yes { Act::Cancel } else { Act::Start }),
        3 => (0_i64..3_000).prop_map(|millis| Act::Pass { millis }),
    ]
}

fn any_step(at: usize) -> impl Strategy<Value = Value> {
    let actions = vec!["plain", "idempotent", "once", "idempotent-once"];
    let earlier = proptest::collection::btree_set(0..at.max(1), 0..=at.min(3));
    (proptest::sample::select(actions), 1_u32..4, 0_u64..3_000, any::<bool>(), earlier).prop_map(
        move |(action, max_attempts, initial, jitter, earlier)| {
            let after: Vec<String> =
                earlier.into_iter().filter(|e| *e < at).map(|e| format!("s{e}")).collect();
            json!({
                "id": format!("s{at}"), "action": action, "depends_on": after,
                "retry": {
                    "max_attempts": max_attempts, "initial_interval": format!("{initial}ms"),
                    "jitter": if jitter { "full" } else { "none" }, "non_retryable": ["gone"],
                },
            })
        },
    )
}

fn any_plan() -> impl Strategy<Value = Arc<Plan>> {
    let steps = (1_usize..7).prop_flat_map(|count| (0..count).map(any_step).collect::<Vec<_>>());
    let output =
        prop_oneof![Just("${ steps.s0.output }"), Just("${ steps.s0.output.x }"), Just("${ input.n }")];
    (steps, any::<bool>(), output).prop_map(|(steps, graph, output)| {
        let order = if graph { "graph" } else { "sequential" };
        plan(&json!({ "order": order, "steps": steps, "output": output }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_ends_and_its_log_gives_its_state(
        plan in any_plan(),
        acts in proptest::collection::vec(any_act(), 0..60),
    ) {
        let mut world = World::new(&plan);
        world.act(&Act::Start);
        for act in &acts {
            world.act(act);
        }
        world.run_to_the_end();
    }

    #[test]
    fn an_execution_that_nobody_started_stays_where_it_is(
        plan in any_plan(),
        acts in proptest::collection::vec(any_act(), 0..20),
    ) {
        let mut world = World::new(&plan);
        for act in acts.iter().filter(|act| !matches!(act, Act::Start)) {
            world.act(act);
        }
        prop_assert_eq!(world.live.last_seq, 0);
    }

    #[test]
    fn a_time_is_read_as_it_was_written(millis in -62_135_596_800_000_i64..253_402_214_400_000) {
        let at = Timestamp::from_millis(millis);
        prop_assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
    }
}
