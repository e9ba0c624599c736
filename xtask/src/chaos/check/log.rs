//! The shape of a log: its numbers, its one end, one result a step, and no step before what it needs.

use std::collections::BTreeMap;

use super::super::event::{Event, Slot};
use super::super::scenario::{End, Fate, Step};
use super::{ENDS, RESULTS, Subject, Violation};

const ORDER: &str = "no step starts before what it needs";
const NUMBERS: &str = "seq has no gap and no repeat";
const UNDONE: &str = "what was done before a bad end is undone once, in reverse order";

pub fn check(subject: &Subject<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    found.extend(numbers(subject));
    found.extend(ends(subject));
    found.extend(results(subject));
    found.extend(subject.steps().iter().filter_map(|step| order(subject, step)));
    found.extend(undone(subject));
    found
}

fn numbers(subject: &Subject<'_>) -> Option<Violation> {
    let numbered = subject.events().map(Event::seq).eq((1..).map(Some).take(subject.log.len()));
    let own = subject.events().all(|event| event.text("execution_id") == subject.execution);
    let seqs: Vec<_> = subject.events().map(Event::seq).collect();
    (!numbered || !own).then(|| subject.violation(NUMBERS, format!("{seqs:?}")))
}

fn ends(subject: &Subject<'_>) -> Option<Violation> {
    let wrong = |found: String| Some(subject.violation(ENDS, found));
    let Some(last) = subject.events().next_back().filter(|event| event.ends_execution()) else {
        return wrong(format!("its log ends with \"{}\"", subject.last()));
    };
    let kinds: Vec<&str> = subject.events().map(Event::kind).collect();
    let early = subject.events().zip(kinds.iter().skip(1));
    if let Some((event, next)) =
        early.into_iter().find(|(e, next)| e.ends_execution() && **next != "execution_restarted")
    {
        return wrong(format!("after {} comes {next}", event.kind()));
    }
    if subject.has("cancel_requested") {
        let cancelled = last.kind() == "execution_cancelled";
        return if cancelled { None } else { wrong(format!("it was cancelled, and ended with {}", last.0)) };
    }
    let right = match &subject.scenario.end {
        End::Succeeds => last.kind() == "execution_completed",
        End::TimesOut { step } => {
            let late = last.error_code() == "execution-timeout";
            last.kind() == "execution_failed" && (late || (set_back(subject) && used_up(subject, step)))
        }
        End::Either => last.kind() != "execution_cancelled",
        End::Fails { step, codes } => {
            last.kind() == "execution_failed" && last.step() == step && codes.contains(&last.error_code())
        }
    };
    if !right {
        return wrong(format!("{:?} was promised, and it ended with {}", subject.scenario.end, last.0));
    }
    let output = subject.scenario.output_of(&subject.key).filter(|_| last.kind() == "execution_completed");
    let differs = output.is_some_and(|output| last.0.get("output") != Some(&output));
    if differs { wrong(format!("its output is {}", last.0)) } else { None }
}

/// The clock of the hosts was set back while it ran.
fn set_back(subject: &Subject<'_>) -> bool {
    !subject.events().filter_map(|event| event.time_ms("at")).is_sorted()
}

/// The step failed with its last attempt.
fn used_up(subject: &Subject<'_>, step: &str) -> bool {
    let last = subject.scenario.step(step).map(|step| u64::from(step.attempts_max));
    subject
        .result(step)
        .is_some_and(|(_, event)| event.kind() == "step_failed" && Some(event.attempt()) == last)
}

/// One result of each step; a restart takes back those that were bad.
fn results(subject: &Subject<'_>) -> Vec<Violation> {
    let mut results: BTreeMap<Slot, Vec<&str>> = BTreeMap::new();
    for event in subject.events() {
        if event.kind() == "execution_restarted" {
            for kinds in results.values_mut() {
                kinds.retain(|kind| matches!(*kind, "step_completed" | "step_skipped"));
            }
        }
        if event.is_result() {
            results.entry(event.slot()).or_default().push(event.kind());
        }
    }
    let twice = results.iter().filter(|(_, kinds)| kinds.len() > 1);
    let mut found: Vec<_> =
        twice.map(|(slot, kinds)| subject.violation(RESULTS, format!("{slot:?} has {kinds:?}"))).collect();
    for step in subject.steps() {
        let slot = Slot::whole(&step.id);
        match results.get(&slot).and_then(|kinds| kinds.last()) {
            None => found.push(subject.violation(RESULTS, format!("step {} has none", step.id))),
            Some(kind) if subject.last() == "execution_completed" && *kind != wanted(step.fate) => {
                let told = format!("step {} has {kind} in an execution that succeeded", step.id);
                found.push(subject.violation(RESULTS, told));
            }
            Some(_) => {}
        }
    }
    found
}

const fn wanted(fate: Fate) -> &'static str {
    match fate {
        Fate::Completes => "step_completed",
        Fate::Skipped => "step_skipped",
        Fate::Fails => "step_failed",
    }
}

/// What a step needs has its result before the step begins, and a good one.
fn order(subject: &Subject<'_>, step: &Step) -> Option<Violation> {
    let begins = |event: &Event<'_>| {
        matches!(event.kind(), "step_started" | "step_waiting") && event.step() == step.id
    };
    let begun = subject.events().position(|event| begins(&event))?;
    let missing = step.needs.iter().find(|need| {
        let good = subject.scenario.step(need).map(|need| wanted(need.fate));
        let mut before = subject.events().take(begun);
        !before.any(|event| {
            event.step() == **need && event.slot().element.is_none() && Some(event.kind()) == good
        })
    })?;
    Some(subject.violation(ORDER, format!("{} started before {missing} had its result", step.id)))
}

/// Everything that completed, each element by itself, the last one first.
fn undone(subject: &Subject<'_>) -> Option<Violation> {
    let undoes = |event: &Event<'_>| subject.scenario.step(event.step()).is_some_and(|step| step.undo);
    let slots = |kind: &'static str| {
        let of_kind = subject.events().filter(move |event| event.kind() == kind && undoes(event));
        of_kind.map(|event| Slot { undoes: false, ..event.slot() })
    };
    // A fan-out as a whole has no effect of its own.
    let is_own = |slot: &Slot| {
        let elements = subject.scenario.step(&slot.step).and_then(|step| step.elements);
        slot.element.is_some() == elements.is_some()
    };
    let bad_end = subject.last() != "execution_completed";
    let owed: Vec<Slot> = slots("step_completed").filter(|slot| bad_end && is_own(slot)).collect();
    let paid: Vec<Slot> = slots("step_compensated").collect();
    (!owed.iter().rev().eq(&paid)).then(|| {
        let places = |slots: &[Slot]| slots.iter().map(|s| (s.step.clone(), s.element)).collect::<Vec<_>>();
        subject.violation(UNDONE, format!("{:?} completed, {:?} was undone", places(&owed), places(&paid)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::subject::sample;
    use super::*;

    fn check_log(change: impl FnOnce(&mut Vec<Value>)) -> Vec<&'static str> {
        let scenario = sample::scenario();
        let mut log = sample::log();
        change(&mut log);
        check(&sample::subject(&scenario, log)).iter().map(|violation| violation.promise).collect()
    }

    fn renumbered(change: impl FnOnce(&mut Vec<Value>)) -> Vec<&'static str> {
        check_log(|log| {
            change(log);
            *log = sample::numbered(std::mem::take(log));
        })
    }

    #[test]
    fn a_good_log_has_no_violation() {
        assert_eq!(check_log(|_| ()), [""; 0]);
    }

    #[test]
    fn a_gap_a_repeat_and_a_foreign_event_are_seen() {
        assert_eq!(check_log(|log| log[3]["seq"] = json!(9)), [NUMBERS]);
        assert_eq!(check_log(|log| log[3]["seq"] = json!(3)), [NUMBERS]);
        assert_eq!(check_log(|log| log[3]["execution_id"] = json!("other")), [NUMBERS]);
    }

    #[test]
    fn an_execution_that_ends_never_twice_or_otherwise_is_seen() {
        assert_eq!(check_log(|log| drop(log.pop())), [ENDS]);
        assert_eq!(renumbered(|log| log.push(json!({ "type": "step_waiting", "step": "b" }))), [ENDS]);
        assert_eq!(renumbered(|log| log.push(log[7].clone())), [ENDS]);
        assert_eq!(check_log(|log| log[7]["output"] = json!("for 1-2")), [ENDS]);
        assert_eq!(
            check_log(|log| log[7] = json!({ "seq": 8, "execution_id": "e", "type": "execution_failed" })),
            [ENDS]
        );
        assert_eq!(renumbered(|log| log.insert(4, json!({ "type": "cancel_requested" }))), [ENDS]);
    }

    #[test]
    fn a_deadline_that_did_not_come_is_excused_by_a_clock_set_back_and_a_last_attempt() {
        let check = |attempt: u64, at: &str, code: &str| {
            let mut scenario = sample::scenario();
            scenario.end = End::TimesOut { step: "b".to_owned() };
            let mut log = sample::log();
            log.truncate(6);
            let error = json!({ "code": code });
            log.push(
                json!({ "type": "step_failed", "step": "b", "attempt": attempt, "at": at, "error": error }),
            );
            log.push(json!({ "type": "execution_failed", "step": "b", "error": error }));
            let log = sample::numbered(log);
            check(&sample::subject(&scenario, log)).iter().map(|v| v.promise).collect::<Vec<_>>()
        };
        let (before, after) = ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:01.001Z");
        assert_eq!(check(1, after, "execution-timeout"), [""; 0]);
        assert_eq!(check(3, before, "http-503"), [""; 0]);
        assert_eq!(check(2, before, "http-503"), [ENDS], "attempts are left");
        assert_eq!(check(3, after, "http-503"), [ENDS], "the clock went on");
    }

    #[test]
    fn a_second_result_and_a_missing_one_are_seen() {
        assert_eq!(renumbered(|log| log.insert(3, log[2].clone())), [RESULTS]);
        assert_eq!(renumbered(|log| drop(log.remove(6))), [RESULTS]);
        assert_eq!(check_log(|log| log[6]["type"] = json!("step_failed")), [RESULTS]);
    }

    #[test]
    fn a_step_before_its_dependency_is_seen() {
        assert_eq!(renumbered(|log| log.swap(2, 3)), [ORDER]);
    }

    #[test]
    fn a_restart_takes_back_bad_results_and_an_end() {
        let restarted = renumbered(|log| {
            let failed = json!({ "type": "step_failed", "step": "b", "attempt": 1 });
            log.splice(
                4..5,
                [failed, json!({ "type": "execution_failed" }), json!({ "type": "execution_restarted" })],
            );
        });
        assert_eq!(restarted, [""; 0]);
    }

    #[test]
    fn a_compensation_that_is_missing_repeated_or_out_of_order_is_seen() {
        let check = |compensated: &[&str]| {
            let mut scenario = sample::scenario();
            scenario.steps.iter_mut().for_each(|step| step.undo = true);
            scenario.end = End::Fails { step: "c".to_owned(), codes: vec!["http-404"] };
            let mut log = sample::log();
            log.pop();
            log.extend(compensated.iter().map(|step| json!({ "type": "step_compensated", "step": step })));
            let error = json!({ "code": "http-404" });
            log.push(json!({ "type": "execution_failed", "step": "c", "error": error }));
            let log = sample::numbered(log);
            check(&sample::subject(&scenario, log)).len()
        };
        assert_eq!(check(&["b", "a"]), 0);
        assert_eq!([check(&["a", "b"]), check(&["b"]), check(&["b", "a", "a"])], [1, 1, 1]);
    }
}
