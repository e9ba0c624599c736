//! Attempts within their policy: numbered, not too many, not too early, none given up that was still allowed, and none
//! after a stop.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::{Event, Slot};
use super::super::scenario::{Fate, Step};
use super::{Subject, Violation};

const POLICY: &str = "attempts are within the policy";
const EARLY: &str = "no timer fires before its time";
const STOPPED: &str = "nothing starts after a stop, and nothing while paused";

/// A slot while its log is read.
#[derive(Default)]
struct Tries {
    /// The attempt that runs or ran last.
    number: u64,
    /// Since the last restart.
    started: u32,
    /// When the next one is due, in milliseconds since 1970.
    due_ms: Option<i64>,
}

pub fn check(subject: &Subject<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut all: BTreeMap<Slot, Tries> = BTreeMap::new();
    let (mut stopped, mut paused) = (false, false);
    for event in subject.events() {
        let step = subject.scenario.step(event.step());
        match (event.kind(), step) {
            ("execution_restarted", _) => {
                stopped = false;
                all.values_mut().for_each(|tries| tries.started = 0);
            }
            ("cancel_requested" | "execution_timed_out", _) => stopped = true,
            ("execution_paused", _) => paused = true,
            ("execution_resumed", _) => paused = false,
            ("step_started", Some(step)) => {
                let slot = event.slot();
                if (stopped || paused) && !slot.undoes {
                    found.push(subject.violation(STOPPED, event.0.to_string()));
                }
                let tries = all.entry(slot).or_default();
                let wrong = tries.start(event, step);
                found.extend(wrong.map(|(promise, told)| subject.violation(promise, told)));
            }
            ("step_retrying", Some(step)) => {
                let tries = all.entry(event.slot()).or_default();
                tries.due_ms = event.time_ms("due_at");
                found.extend(interval(event, step).map(|told| subject.violation(POLICY, told)));
            }
            ("step_failed", Some(step)) => {
                if !stopped && event.is_retryable() && event.attempt() < u64::from(step.attempts_max) {
                    found.push(subject.violation(POLICY, format!("given up too early: {}", event.0)));
                }
                stopped = stopped || step.fate != Fate::Fails;
            }
            _ => {}
        }
    }
    found.extend(waits(subject));
    found
}

impl Tries {
    fn start(&mut self, event: Event<'_>, step: &Step) -> Option<(&'static str, String)> {
        let (attempt, due_ms) = (event.attempt(), self.due_ms.take());
        let follows = attempt == self.number + 1 || (attempt == 1 && self.started == 0);
        self.number = attempt;
        self.started += 1;
        if !follows || self.started > step.attempts_max {
            let told = format!(
                "attempt {attempt} of {}, the {}th start, at most {}",
                step.id, self.started, step.attempts_max
            );
            return Some((POLICY, told));
        }
        let early = due_ms.zip(event.time_ms("at")).is_some_and(|(due, at)| at < due);
        early.then(|| (EARLY, format!("attempt {attempt} of {} is early: {}", step.id, event.0)))
    }
}

/// Without jitter each wait has the same length, but after a lost attempt, which waits for nothing.
fn interval(event: Event<'_>, step: &Step) -> Option<String> {
    let interval_ms = i64::try_from(step.interval_ms?).ok()?;
    let waits_ms = event.time_ms("due_at")? - event.time_ms("at")?;
    let wrong = event.error_code() == "http-503" && waits_ms != interval_ms;
    wrong.then(|| format!("it waits {waits_ms} ms instead of {interval_ms}: {}", event.0))
}

/// A wait of the host itself ends when its time has come, by the host's clock.
fn waits(subject: &Subject<'_>) -> Vec<Violation> {
    let waiting = subject.events().filter(|event| event.kind() == "step_waiting");
    let timers: BTreeSet<_> = waiting
        .filter(|event| event.0.pointer("/wait/for").is_some_and(|kind| kind == "timer"))
        .filter_map(|event| Some((event.slot(), event.time_ms("due_at").or(event.time_ms("until"))?)))
        .collect();
    let early = timers.into_iter().filter(|(slot, due)| {
        let mut done = subject.events().filter(|event| event.kind() == "step_completed");
        done.any(|event| event.slot() == *slot && event.time_ms("at").is_some_and(|at| at < *due))
    });
    early.map(|(slot, _)| subject.violation(EARLY, format!("the wait {} ended early", slot.step))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::subject::sample;
    use super::*;

    fn check_log(change: impl FnOnce(&mut Vec<Value>)) -> Vec<&'static str> {
        let mut scenario = sample::scenario();
        scenario.steps[1].interval_ms = Some(500);
        let mut log = sample::log();
        change(&mut log);
        check(&sample::subject(&scenario, log)).iter().map(|violation| violation.promise).collect()
    }

    #[test]
    fn attempts_that_are_numbered_and_due_are_good() {
        assert_eq!(check_log(|_| ()), [""; 0]);
    }

    #[test]
    fn one_attempt_too_many_or_out_of_order_is_seen() {
        assert_eq!(check_log(|log| log[5]["attempt"] = json!(3)), [POLICY]);
        assert_eq!(check_log(|log| log[3]["attempt"] = json!(2)), [POLICY, POLICY]);
        let many = |log: &mut Vec<Value>| {
            let started = |attempt| json!({ "type": "step_started", "step": "b", "attempt": attempt });
            log.splice(6..6, [started(3), started(4)]);
        };
        assert_eq!(check_log(many), [POLICY]);
    }

    #[test]
    fn an_attempt_before_its_time_is_seen() {
        assert_eq!(check_log(|log| log[5]["at"] = json!("2026-01-01T00:00:00.999Z")), [EARLY]);
    }

    #[test]
    fn an_interval_of_another_length_is_seen() {
        let busy = |log: &mut Vec<Value>| {
            log[4]["error"]["code"] = json!("http-503");
            log[4]["at"] = json!("2026-01-01T00:00:00.400Z");
        };
        assert_eq!(check_log(busy), [POLICY]);
    }

    #[test]
    fn giving_up_while_attempts_are_left_is_seen() {
        let error = json!({ "code": "http-503", "retryable": true });
        let failed =
            |attempt| json!({ "type": "step_failed", "step": "b", "attempt": attempt, "error": error });
        assert_eq!(check_log(|log| log[6] = failed(2)), [POLICY]);
        assert_eq!(check_log(|log| log[6] = failed(3)), [""; 0]);
    }

    #[test]
    fn a_start_while_paused_is_seen_and_one_after_it_is_not() {
        let paused = |at: usize| {
            check_log(move |log| {
                log.insert(4, json!({ "type": "execution_paused" }));
                log.insert(at, json!({ "type": "execution_resumed" }));
            })
        };
        assert_eq!((paused(7), paused(6)), (vec![STOPPED], vec![]));
    }

    #[test]
    fn a_start_after_a_cancellation_is_seen() {
        assert_eq!(check_log(|log| log.insert(5, json!({ "type": "cancel_requested" }))), [STOPPED]);
    }
}
