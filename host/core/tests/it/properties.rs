//! Whatever is asked of an execution, in whatever order: its log is whole, and its state is the sum of its log.

use std::sync::Arc;

use proptest::prelude::*;
use quantum_core::builtin::Wait;
use quantum_core::machine::{
    Admission, ChildOutcome, Circumstances, Command, Effect, Event, EventKind, Execution, Phase, Prepared,
    Refusal, Slot, StepState, Turn, Waiting, apply, fill, prepare,
};
use quantum_core::plan::{Plan, PlannedStep};
use quantum_core::port::{AttemptOutcome, AttemptReport, Bill, Failure, FailureKind};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_core::usage::Used;
use quantum_core::vocabulary::{ExecutionStatus, StepStatus};
use serde_json::{Map, Value, json};

use crate::script::{child, decision, person};
use crate::support::{Actions, alice, new_execution, plan, state_of};

/// One thing that somebody does; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Act {
    Start,
    AdmitReady { allowed: bool },
    AdmitAny { step: usize },
    Settle { running: usize, outcome: AttemptOutcome, chance: f64 },
    SettleAny { step: usize, attempt: u32 },
    Signal { payload: Value },
    Approve { by: usize, approved: bool },
    ChildEnded { waiting: usize, well: bool },
    Cancel,
    Pause,
    Resume,
    Restart,
    Pass { millis: i64 },
}

/// The live execution, and the one that a host makes from the journal after a crash.
struct World {
    live: Execution,
    stored: Execution,
    actions: Actions,
    now: i64,
    ended: usize,
    restarts: usize,
}

/// What is booked is what the bills of the same commit say, and every attempt is.
fn check_used(events: &[Event], used: &[Used]) {
    let bills = events.iter().map(|event| serde_json::to_value(event).unwrap()["bill"]["cpu_us"].as_u64());
    let cpu_us: u64 = used.iter().map(|used| used.sums.cpu_us).sum();
    assert_eq!(bills.flatten().sum::<u64>(), cpu_us, "{events:?}");
    let failures: u64 = used.iter().map(|used| used.sums.failures).sum();
    let ends = |event: &&Event| event.kind.is_failure();
    assert!(failures <= events.iter().filter(ends).count() as u64, "{events:?}");
}

impl World {
    fn new(plan: &Arc<Plan>) -> Self {
        let make = || new_execution(plan.clone(), json!({ "n": 1, "list": [1, 2, 3] }));
        let actions = Actions::installed();
        Self { live: make(), stored: make(), actions, now: 0, ended: 0, restarts: 0 }
    }

    fn turn(&mut self, commands: impl FnOnce(&mut Turn<'_>, &Actions)) {
        let due = self.live.next_due();
        let mut turn = Turn::new(&mut self.live, Timestamp::from_millis(self.now));
        commands(&mut turn, &self.actions);
        let used = turn.take_used();
        let (events, effects) = turn.finish().unwrap();
        check_used(&events, &used);
        for event in &events {
            self.store(event);
        }
        check_effects(&events, &effects);
        let wake = effects.iter().any(|effect| matches!(effect, Effect::Wake { .. }));
        let next = self.live.next_due();
        assert!(wake || next.is_none() || next == due, "nobody wakes it at {next:?}");
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
        self.check_start(&read.kind);
        apply(&mut self.stored, &read).unwrap();
        self.restarts += usize::from(matches!(read.kind, EventKind::ExecutionRestarted { .. }));
    }

    /// Nothing starts before what it waits for, more often than allowed, or in an execution that stops.
    fn check_start(&self, kind: &EventKind) {
        let (step, slot) = match kind {
            EventKind::StepStarted { step, element, phase, .. } => (step, Some((*element, *phase))),
            EventKind::StepWaiting { step, .. } | EventKind::StepExpanded { step, .. } => (step, None),
            _ => return,
        };
        let at = self.stored.plan.position(step.as_str()).unwrap();
        let planned = &self.stored.plan.document.steps[at];
        if let (EventKind::StepStarted { attempt, .. }, Some((element, phase))) = (kind, slot) {
            let state = self.stored.slot(Slot { step: at, element, phase });
            let (made, before) = state.map_or((0, 0), |state| (state.attempt, state.attempts_before));
            let undo = planned.compensate.as_ref().map(|undo| undo.retry.max_attempts);
            let max = if phase.is_run() { planned.retry.max_attempts } else { undo.unwrap() };
            assert_eq!(*attempt, made + 1);
            assert!(attempt - before <= max, "{step} has too many attempts");
            if phase == Phase::Compensate {
                assert_eq!(self.stored.status, ExecutionStatus::Compensating);
                return;
            }
        }
        let before = |other: &usize| self.stored.steps[*other].status.is_terminal();
        assert!(planned.waits_for.iter().all(before), "{step} started before what it waits for");
        assert!(!self.stored.is_stopping(), "{step} started in an execution that stops");
        assert_eq!(self.stored.status, ExecutionStatus::Running);
    }

    fn act(&mut self, act: &Act) {
        let was_terminal = self.live.status.is_terminal();
        let (last_seq, restarts) = (self.live.last_seq, self.restarts);
        match act {
            Act::Pass { millis } => {
                self.now += millis;
                self.turn(|turn, _| drop(turn.run(Command::Wake)));
            }
            Act::AdmitReady { allowed } => self.turn(|turn, actions| admit_ready(turn, actions, *allowed)),
            _ => {
                let command = self.command(act);
                self.turn(|turn, _| drop::<Result<(), Refusal>>(turn.run(command)));
            }
        }
        let silent = self.live.last_seq == last_seq || self.restarts > restarts;
        assert!(!was_terminal || silent, "an event after the end");
        let most = self.live.plan.document.steps.iter().filter_map(|step| step.for_each.as_ref());
        let most = most.map(|for_each| for_each.max_parallel as usize).max().unwrap_or(0);
        for fan_out in self.live.steps.iter().filter_map(|step| step.fan_out.as_ref()) {
            assert!(fan_out.active <= most, "more elements run than may");
        }
    }

    fn running(&self) -> Vec<(Slot, u32)> {
        let undo =
            |(slot, state): (Slot, &StepState)| state.undo.as_ref().map(|undo| (slot.undone(), undo.clone()));
        let undone = self.live.slots().filter_map(undo);
        let undone = undone.filter(|(_, undo)| undo.status == StepStatus::Compensating);
        let undone = undone.map(|(slot, undo)| (slot, undo.attempt));
        let runs = |state: &StepState| state.status == StepStatus::Running && state.fan_out.is_none();
        let run =
            self.live.slots().filter(|(_, state)| runs(state)).map(|(slot, state)| (slot, state.attempt));
        run.chain(undone).collect()
    }

    fn children(&self) -> Vec<Slot> {
        let child =
            |state: &StepState| matches!(&state.waiting, Some(Waiting { wait: Wait::Child { .. }, .. }));
        self.live.slots().filter(|(_, state)| child(state)).map(|(slot, _)| slot).collect()
    }

    fn command(&self, act: &Act) -> Command {
        let count = self.live.steps.len();
        let requested_by = alice();
        match act {
            Act::Start => Command::Start { reuse: Vec::new() },
            Act::Cancel => Command::Cancel { requested_by, reason: None },
            Act::Pause => Command::Pause { requested_by, reason: None },
            Act::Resume => Command::Resume { requested_by },
            Act::Restart => Command::Restart { requested_by },
            Act::Signal { payload } => {
                Command::Signal { name: "go".to_owned(), payload: payload.clone(), sent_by: alice() }
            }
            Act::Approve { by, approved } => Command::Approve {
                step: None,
                element: None,
                approved: *approved,
                approved_by: person(["alice", "bob", "carol"][by % 3]),
                comment: None,
            },
            Act::ChildEnded { waiting, well } => {
                let all = self.children();
                let slot = all.get(waiting % all.len().max(1)).copied().unwrap_or(Slot::step(0));
                let failed = ChildOutcome::Failed(Problem::new("child-failed", "it failed"));
                let outcome = if *well { ChildOutcome::Succeeded(json!(1).into()) } else { failed };
                Command::ChildEnded { slot, child: child(), outcome }
            }
            Act::AdmitAny { step } => {
                Command::Admit { slot: Slot::step(step % (count + 1)), admission: start() }
            }
            Act::SettleAny { step, attempt } => {
                let slot = Slot::step(step % (count + 1));
                settle(slot, *attempt, AttemptOutcome::Completed(json!(1)), 0.5)
            }
            Act::Settle { running, outcome, chance } => {
                let all = self.running();
                let (slot, attempt) =
                    all.get(running % all.len().max(1)).copied().unwrap_or((Slot::step(0), 1));
                settle(slot, attempt, outcome.clone(), *chance)
            }
            Act::AdmitReady { .. } | Act::Pass { .. } => Command::Wake,
        }
    }

    /// Every attempt and every wait is answered, what is ready starts, operators help, and time passes where nothing
    /// else can happen.
    fn run_to_the_end(&mut self) {
        self.act(&Act::Start);
        self.act(&Act::Resume);
        let attempts = |step: &PlannedStep| step.retry.max_attempts as usize * 3 + 3;
        let bound = self.live.plan.document.steps.iter().map(attempts).sum::<usize>() * 8;
        for _ in 0..bound + 8 {
            if self.live.status.is_terminal() {
                break;
            }
            self.now = self.live.next_due().map_or(self.now, |due| self.now.max(due.as_millis()));
            self.act(&Act::AdmitReady { allowed: true });
            for (slot, attempt) in self.running() {
                let command = settle(slot, attempt, failure(FailureKind::Retryable, "busy", None), 0.5);
                self.turn(|turn, _| turn.run(command).unwrap());
            }
            self.act(&Act::Signal { payload: json!({}) });
            self.act(&Act::Approve { by: 1, approved: true });
            self.act(&Act::Approve { by: 2, approved: true });
            self.act(&Act::ChildEnded { waiting: 0, well: true });
            if self.live.status == ExecutionStatus::Parked {
                self.act(&Act::Cancel);
            }
        }
        assert!(self.live.status.is_terminal(), "it never ends: {:?}", self.live);
        assert!(self.ended <= 1 + self.restarts && self.ended > 0, "the end is told once");
    }
}

fn start() -> Admission {
    Admission::Start { parameters: "{}".to_owned(), decision: decision(true) }
}

fn admit_ready(turn: &mut Turn<'_>, actions: &Actions, allowed: bool) {
    while let Some(slot) = turn.next_ready().unwrap() {
        let refuse = Admission::Refuse {
            error: Problem::new("policy-denied", "the policies refuse the start"),
            decision: Some(decision(false)),
        };
        let circumstances = Circumstances { now: turn.now(), child: child() };
        let admission = match prepare(turn.execution(), slot, circumstances) {
            Prepared::Decided(admission) => admission,
            Prepared::Attempt { action, template } => {
                match fill(turn.execution(), slot, template, &actions.entry(&action.name)) {
                    Ok(_) if !allowed => refuse,
                    Ok(_) => start(),
                    Err(error) => Admission::refuse(error),
                }
            }
        };
        turn.run(Command::Admit { slot, admission }).unwrap();
    }
}

fn settle(slot: Slot, attempt: u32, outcome: AttemptOutcome, chance: f64) -> Command {
    let bill =
        Bill { cpu_us: 1, wall_us: 2, memory_bytes_peak: 3, host_calls: 4, sent_bytes: 5, received_bytes: 6 };
    Command::Settle { slot, attempt, report: AttemptReport { outcome, bill }, chance }
}

fn failure(kind: FailureKind, code: &str, retry_after_ms: Option<u64>) -> AttemptOutcome {
    AttemptOutcome::Failed(Failure { kind, problem: Problem::new(code, "it did not work"), retry_after_ms })
}

/// What is released is what was written: a run for a start, a child for a wait for one, the end for the last event.
fn check_effects(events: &[Event], effects: &[Effect]) {
    let events = |is: fn(&EventKind) -> bool| events.iter().filter(|event| is(&event.kind)).count();
    let effects = |is: fn(&Effect) -> bool| effects.iter().filter(|effect| is(effect)).count();
    let starts = events(|kind| matches!(kind, EventKind::StepStarted { .. }));
    assert_eq!(starts, effects(|effect| matches!(effect, Effect::Run { .. })));
    let children = events(|kind| matches!(kind, EventKind::StepWaiting { wait: Wait::Child { .. }, .. }));
    assert_eq!(children, effects(|effect| matches!(effect, Effect::StartChild { .. })));
    assert_eq!(events(EventKind::is_end), effects(|effect| matches!(effect, Effect::Ended)));
}

fn check_state(execution: &Execution) {
    match execution.status {
        ExecutionStatus::Queued => assert!(execution.steps.iter().all(|s| s.status == StepStatus::Pending)),
        ExecutionStatus::Running | ExecutionStatus::Paused => {
            let open = execution.steps.iter().any(|step| !step.status.is_terminal());
            assert!(open || execution.status == ExecutionStatus::Paused, "nothing is left to do");
        }
        ExecutionStatus::Parked => assert!(execution.has(StepStatus::Parked)),
        ExecutionStatus::Compensating => assert!(!execution.undo.is_empty()),
        ExecutionStatus::Succeeded => assert!(execution.output.is_some() && !execution.is_stopping()),
        ExecutionStatus::Failed => assert!(execution.error.is_some() && !execution.cancel_requested),
        ExecutionStatus::Cancelled => assert!(execution.cancel_requested),
    }
    assert_eq!(execution.ended_at.is_some(), execution.status.is_terminal());
    if execution.status.is_terminal() {
        assert_eq!(execution.steps_done(), execution.steps.len());
        check_undone(execution);
    }
}

/// Whatever completed and can be undone is, unless the execution succeeded.
fn check_undone(execution: &Execution) {
    let undone = execution.undo.iter().filter(|slot| execution.slot(slot.undone()).is_some()).count();
    let expected = if execution.status == ExecutionStatus::Succeeded { 0 } else { execution.undo.len() };
    let output_failed = execution.error.is_some() && !execution.is_stopping();
    assert!(undone == expected || output_failed, "{undone} of {expected} are undone");
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
        1 => any_json().prop_map(|payload| Act::Signal { payload }),
        2 => (0_usize..3, prop::bool::weighted(0.9)).prop_map(|(by, approved)| Act::Approve { by, approved }),
        1 => (0_usize..4, any::<bool>()).prop_map(|(waiting, well)| Act::ChildEnded { waiting, well }),
        1 => proptest::sample::select(vec![Act::Pause, Act::Resume, Act::Resume, Act::Restart]),
        3 => (0_i64..3_000).prop_map(|millis| Act::Pass { millis }),
    ]
}

/// What a step runs, with the parameters that it needs.
fn any_call() -> impl Strategy<Value = Value> {
    let plain = vec!["plain", "plain", "idempotent", "once", "idempotent-once"];
    let built_in = vec![
        json!({ "action": "core/wait", "duration": "700ms" }),
        json!({ "action": "core/signal", "name": "go", "timeout": "3s" }),
        json!({ "action": "core/signal", "name": "go", "schema": { "type": "object" } }),
        json!({ "action": "core/approve", "approvals": 2, "timeout": "9s" }),
        json!({ "action": "core/execute-intent", "intent": "other", "timeout": "9s" }),
        json!({ "action": "core/fail", "message": "on purpose" }),
    ];
    let retry = (1_u32..4, 0_u64..3_000, any::<bool>(), proptest::option::of(0_u64..4_000));
    let retry = retry.prop_map(|(max_attempts, initial, jitter, budget)| {
        let mut retry = json!({
            "max_attempts": max_attempts, "initial_interval": format!("{initial}ms"),
            "jitter": if jitter { "full" } else { "none" }, "non_retryable": ["gone"],
        });
        if let Some(budget) = budget {
            retry["budget"] = format!("{budget}ms").into();
        }
        retry
    });
    prop_oneof![
        5 => (proptest::sample::select(plain), retry, any::<bool>()).prop_map(|(action, retry, park)| {
            let exhausted = if park { "park" } else { "fail" };
            json!({ "action": action, "retry": retry, "on_exhausted": exhausted })
        }),
        2 => proptest::sample::select(built_in),
    ]
}

fn any_step(at: usize) -> impl Strategy<Value = Value> {
    let earlier = proptest::collection::btree_set(0..at.max(1), 0..=at.min(3));
    let keys = vec![
        json!({}),
        json!({}),
        json!({ "when": "input.n == 1" }),
        json!({ "when": "input.n == 2" }),
        json!({ "for_each": { "in": "input.list", "max_parallel": 2 } }),
        json!({ "for_each": { "in": "input.list", "max_parallel": 1 }, "on_error": "continue" }),
        json!({ "for_each": { "in": "input" } }),
        json!({ "on_error": "continue" }),
    ];
    (any_call(), proptest::sample::select(keys), any::<bool>(), earlier).prop_map(
        move |(call, keys, undo, earlier)| {
            let after: Vec<String> =
                earlier.into_iter().filter(|e| *e < at).map(|e| format!("s{e}")).collect();
            let mut step = json!({ "id": format!("s{at}"), "depends_on": after });
            let fields = step.as_object_mut().unwrap();
            fields.extend(call.as_object().unwrap().clone());
            fields.extend(keys.as_object().unwrap().clone());
            if undo {
                fields.insert(
                    "compensate".to_owned(),
                    json!({ "action": "plain", "retry": { "max_attempts": 2 } }),
                );
            }
            step
        },
    )
}

fn any_plan() -> impl Strategy<Value = Arc<Plan>> {
    let steps = (1_usize..7).prop_flat_map(|count| (0..count).map(any_step).collect::<Vec<_>>());
    let output =
        prop_oneof![Just("${ steps.s0.output }"), Just("${ steps.s0.output.x }"), Just("${ input.n }")];
    let timeout = proptest::option::weighted(0.2, 1_u64..20);
    (steps, any::<bool>(), output, timeout).prop_map(|(steps, graph, output, timeout)| {
        let order = if graph { "graph" } else { "sequential" };
        let mut definition = json!({ "order": order, "steps": steps, "output": output });
        if let Some(seconds) = timeout {
            definition["timeout"] = seconds.into();
        }
        plan(&definition)
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
        for act in acts.iter().filter(|act| !matches!(act, Act::Start | Act::Cancel)) {
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
