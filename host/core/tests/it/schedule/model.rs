//! Decisions and records, played with executions that take time, hosts that die, and clocks that jump.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quantum_core::id::{ExecutionId, ScheduleUid};
use quantum_core::problem::Problem;
use quantum_core::schedule::{
    Act, LastError, LastStart, Outcome, Schedule, ScheduleDocument, ScheduleState, execution_id,
};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Overlap;
use serde_json::json;

use super::{at, document};

const START: &str = "2026-03-28T22:00:00Z";
const MINUTE: u64 = 60_000;

fn uid() -> ScheduleUid {
    ScheduleUid::parse("0198c0de-0000-7abc-8def-0123456789ab").unwrap()
}

/// A host with a schedule: what is stored, and what the world remembers.
struct World {
    schedule: Schedule,
    state: ScheduleState,
    /// Every execution that was ever started, with when it ends.
    started: BTreeMap<ExecutionId, Timestamp>,
    now: Timestamp,
    /// What the clock showed at most.
    latest: Timestamp,
    /// Milliseconds that the next execution takes.
    takes: u64,
    refuses: bool,
}

impl World {
    fn new(document: &ScheduleDocument) -> Self {
        Self {
            schedule: Schedule::read(document).unwrap(),
            state: ScheduleState::new(at(START)),
            started: BTreeMap::new(),
            now: at(START),
            latest: at(START),
            takes: 0,
            refuses: false,
        }
    }

    fn set(&mut self, now: Timestamp) {
        self.now = now;
        self.latest = self.latest.max(now);
    }

    fn running(&self) -> usize {
        self.started.values().filter(|end| **end > self.now).count()
    }

    /// As the engine does it. `dies`: after the start, before it is written down.
    fn look(&mut self, dies: bool) {
        loop {
            let next = self.schedule.next_due(self.state.handled_until).filter(|due| *due <= self.now);
            let known = self.state.waiting.into_iter().chain(next);
            let found = known.into_iter().find(|due| self.started.contains_key(&execution_id(uid(), *due)));
            if let Some(due) = found {
                self.state.record(Outcome::Started(self.start_note(due)));
                continue;
            }
            match self.schedule.decide(uid(), &self.state, self.running(), self.now) {
                Act::Wait { until } => {
                    assert!(until.is_none_or(|until| until > self.now), "a wait that is over");
                    return;
                }
                Act::Miss { count, through } => self.state.record(Outcome::Missed { count, through }),
                Act::Skip { due } => self.state.record(Outcome::Overlapped { due }),
                Act::Hold { due, cancel } => {
                    if cancel {
                        let now = self.now;
                        // They notice a second later.
                        self.started.values_mut().for_each(|end| *end = (*end).min(now.plus_millis(1_000)));
                    }
                    self.state.record(Outcome::Held { due });
                }
                Act::Start { due } if self.refuses => {
                    let problem = Problem::new("forbidden", "no");
                    self.state.record(Outcome::Refused(LastError { due_at: due, at: self.now, problem }));
                }
                Act::Start { due } => {
                    let id = execution_id(uid(), due);
                    let end = self.now.plus_millis(self.takes);
                    assert!(self.started.insert(id, end).is_none(), "{due} was started twice");
                    if dies {
                        return;
                    }
                    self.state.record(Outcome::Started(self.start_note(due)));
                }
            }
        }
    }

    fn start_note(&self, due: Timestamp) -> LastStart {
        LastStart { due_at: due, started_at: self.now, execution: execution_id(uid(), due) }
    }

    /// Every due time up to what was handled is in one of the counts, or waits.
    fn accounted(&self) -> u64 {
        let counts = self.state.progress.counts;
        counts.started
            + counts.missed
            + counts.overlapped
            + counts.refused
            + u64::from(self.state.waiting.is_some())
    }

    fn dues(&self) -> u64 {
        let dues =
            std::iter::successors(self.schedule.next_due(at(START)), |due| self.schedule.next_due(*due));
        dues.take_while(|due| *due <= self.state.handled_until).count() as u64
    }
}

fn every(minutes: u32, overlap: Overlap, catch_up: u32) -> ScheduleDocument {
    ScheduleDocument { overlap, catch_up, ..document(&format!("*/{minutes} * * * *"), "Europe/Berlin") }
}

fn counts(world: &World) -> (u64, u64, u64) {
    let counts = world.state.progress.counts;
    (counts.started, counts.missed, counts.overlapped)
}

#[test]
fn a_host_that_was_away_makes_up_as_much_as_it_is_told() {
    for (catch_up, away_minutes, expected) in [
        (0, 65, (0, 6, 0)),
        (1, 65, (1, 5, 0)),
        (3, 65, (3, 3, 0)),
        (100, 65, (6, 0, 0)),
        // The last one is due this minute: it is no missed one.
        (0, 60, (1, 5, 0)),
        (2, 60, (3, 3, 0)),
    ] {
        let mut world = World::new(&every(10, Overlap::Allow, catch_up));
        world.set(at(START).plus_millis(away_minutes * MINUTE));
        world.look(false);
        assert_eq!(counts(&world), expected, "catch_up {catch_up} after {away_minutes} minutes");
        assert_eq!(world.accounted(), world.dues());
    }
}

#[test]
fn a_year_away_is_counted_to_the_last_minute() {
    let mut world = World::new(&every(1, Overlap::Skip, 2));
    world.set(at("2027-03-28T22:00:30Z"));
    world.look(false);
    // The hour that 25 October has twice makes up for the one that 29 March leaves out.
    assert_eq!(counts(&world), (3, 365 * 24 * 60 - 3, 0));
}

#[test]
fn a_due_time_meets_the_execution_before_it() {
    for (overlap, expected, waiting) in [
        (Overlap::Skip, (1, 0, 2), None),
        (Overlap::Queue, (1, 0, 1), Some("2026-03-28T22:20:00Z")),
        (Overlap::Allow, (3, 0, 0), None),
    ] {
        let mut world = World::new(&every(10, overlap, 1));
        world.takes = 25 * MINUTE;
        for minutes in [10, 20, 30] {
            world.set(at(START).plus_millis(minutes * MINUTE));
            world.look(false);
        }
        assert_eq!((counts(&world), world.state.waiting), (expected, waiting.map(at)), "{overlap}");
    }
}

#[test]
fn what_waits_starts_when_nothing_runs_any_more() {
    let mut world = World::new(&every(10, Overlap::Queue, 1));
    world.takes = 25 * MINUTE;
    for minutes in [10, 20, 34, 35] {
        world.set(at(START).plus_millis(minutes * MINUTE));
        world.look(false);
        assert_eq!(world.state.waiting.is_some(), minutes == 20 || minutes == 34, "{minutes}");
    }
    assert!(world.started.contains_key(&execution_id(uid(), at("2026-03-28T22:20:00Z"))));
}

#[test]
fn a_later_due_time_takes_the_place_of_the_one_that_waits_for_a_cancel() {
    let mut world = World::new(&every(10, Overlap::CancelRunning, 1));
    world.takes = 25 * MINUTE;
    world.set(at(START).plus_millis(10 * MINUTE));
    world.look(false);
    world.set(at(START).plus_millis(20 * MINUTE));
    world.look(false);
    assert_eq!(world.state.waiting, Some(at("2026-03-28T22:20:00Z")));
    world.set(world.now.plus_millis(1_000));
    world.look(false);
    assert_eq!((counts(&world), world.state.waiting), ((2, 0, 0), None));
}

#[test]
fn jitter_delays_a_start_and_not_the_due_time() {
    let jittered = ScheduleDocument { jitter: Some(json!("5m")), ..every(10, Overlap::Skip, 1) };
    let mut world = World::new(&jittered);
    let due = at("2026-03-28T22:10:00Z");
    let starts = world.schedule.starts(uid(), due);
    assert!(starts > due && starts <= due.plus_millis(5 * MINUTE));
    world.set(Timestamp::from_millis(starts.as_millis() - 1));
    world.look(false);
    assert_eq!(counts(&world), (0, 0, 0));
    world.set(starts);
    world.look(false);
    assert_eq!(world.state.progress.last_start.as_ref().unwrap().due_at, due);
}

#[test]
fn refusals_are_counted_until_a_start() {
    let mut world = World::new(&every(10, Overlap::Skip, 1));
    world.refuses = true;
    for minutes in [10, 20] {
        world.set(at(START).plus_millis(minutes * MINUTE));
        world.look(false);
    }
    assert_eq!(world.state.progress.counts.refused_in_a_row, 2);
    assert_eq!(world.state.progress.last_error.as_ref().unwrap().problem.code, "forbidden");
    world.refuses = false;
    world.set(at(START).plus_millis(30 * MINUTE));
    world.look(false);
    assert_eq!((world.state.progress.counts.refused, world.state.progress.counts.refused_in_a_row), (2, 0));
}

#[derive(Debug, Clone)]
enum Turn {
    /// The clock goes on and the host looks.
    Pass {
        millis: u64,
        takes: u64,
    },
    /// The clock is set, in milliseconds from now.
    Set {
        millis: i64,
    },
    /// The host dies after a start, and another one looks.
    Die {
        millis: u64,
    },
    Refuse(bool),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let hours = 3_600_000_i64;
    let turn = prop_oneof![
        6 => (0_u64..20 * MINUTE, 0_u64..30 * MINUTE).prop_map(|(millis, takes)| Turn::Pass { millis, takes }),
        2 => (-3 * hours..3 * hours).prop_map(|millis| Turn::Set { millis }),
        2 => (0_u64..30 * MINUTE).prop_map(|millis| Turn::Die { millis }),
        1 => any::<bool>().prop_map(Turn::Refuse),
    ];
    prop::collection::vec(turn, 1..40)
}

proptest! {
    #[test]
    fn nothing_is_started_twice_and_nothing_is_lost(
        turns in turns(),
        overlap in prop::sample::select(Overlap::ALL.to_vec()),
        catch_up in 0_u32..4,
        jitter in prop::sample::select(vec![0_u64, 90, 900]),
    ) {
        let document = ScheduleDocument { jitter: Some(json!(jitter)), ..every(7, overlap, catch_up) };
        let mut world = World::new(&document);
        for turn in turns {
            let handled = world.state.handled_until;
            match turn {
                Turn::Pass { millis, takes } => {
                    world.takes = takes;
                    world.set(world.now.plus_millis(millis));
                    world.look(false);
                }
                Turn::Set { millis } => {
                    world.set(Timestamp::from_millis(world.now.as_millis() + millis));
                    world.look(false);
                }
                Turn::Die { millis } => {
                    world.set(world.now.plus_millis(millis));
                    world.look(true);
                    world.look(false);
                }
                Turn::Refuse(refuses) => world.refuses = refuses,
            }
            prop_assert!(world.state.handled_until >= handled);
            prop_assert!(world.state.handled_until <= world.latest, "nothing is handled before it is due");
            prop_assert_eq!(world.accounted(), world.dues());
            // Deaths apart, whose executions are found: one count a start.
            prop_assert_eq!(world.state.progress.counts.started, world.started.len() as u64);
        }
    }
}
