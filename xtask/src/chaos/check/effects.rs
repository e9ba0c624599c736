//! The ledger against the logs: every effect was asked for, under one key, and is there once when repeats are left out.
//! Repeats are allowed in one window: the effect was made, and its attempt ended without an answer that was recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::event::{Event, Slot};
use super::super::ledger::{Kind, Record};
use super::super::scenario::{Step, UNDO};
use super::{Subject, Violation};

const KEYS: &str = "one effect has one idempotency key, and one key one effect";
const ONCE: &str = "effects after de-duplication are exactly one";
const WINDOW: &str = "repeats lie inside the documented window";
const ASKED: &str = "no effect that no attempt asked for";
const RECORDED: &str = "a recorded result is what the service answered";

/// Codes of attempts that may have had their effect: the request was sent and its answer did not arrive.
const UNANSWERED: &[&str] = &[
    "attempt-lost",
    "timeout",
    "host-fault",
    "http-timeout",
    "http-connection",
    "http-protocol",
    "http-invalid-body",
];

/// Effects that were made more than once, all of them inside the window.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Repeats {
    /// Different effects that were made.
    pub effects: usize,
    /// Of them, those that were made again because a kill came before the result was durable.
    pub after_a_kill: usize,
    /// Of them, those that were made again because the service's answer did not arrive.
    pub after_a_lost_answer: usize,
}

/// Requests by execution and label.
type Asked<'r> = BTreeMap<(String, String), Vec<&'r Record>>;

pub fn effects(subjects: &[Subject<'_>], records: &[Record]) -> (Repeats, Vec<Violation>) {
    let mut asked = Asked::new();
    for record in records {
        asked.entry((record.key.clone(), record.label.clone())).or_default().push(record);
    }
    let mut found = one_key_each(&asked);
    let mut repeats = Repeats::default();
    for subject in subjects {
        for (label, owner) in labels(subject) {
            let requests = asked.remove(&(subject.key.clone(), label.clone())).unwrap_or_default();
            found.extend(check(subject, &label, &owner, &requests));
            count(subject, &owner, &requests, &mut repeats);
        }
    }
    for ((key, label), requests) in asked {
        let told = format!("{key} {label}: {} requests, and no such step", requests.len());
        found.push(Violation::new(ASKED, "", told));
    }
    (repeats, found)
}

/// Whose effect a label is.
struct Owner<'a> {
    step: &'a Step,
    slot: Slot,
}

fn labels<'a>(subject: &Subject<'a>) -> Vec<(String, Owner<'a>)> {
    let mut labels = Vec::new();
    for step in subject.steps() {
        let whole = Slot::whole(&step.id);
        // The elements are the numbers of their places.
        let runs: Vec<(String, Slot)> = match (step.effect, step.elements) {
            (None, _) => Vec::new(),
            (Some(_), None) => vec![(step.id.clone(), whole)],
            (Some(_), Some(count)) => (0..count)
                .map(|element| {
                    (
                        format!("{}.{element}", step.id),
                        Slot { element: Some(element.into()), ..whole.clone() },
                    )
                })
                .collect(),
        };
        for (label, slot) in runs {
            if step.undo {
                let slot = Slot { undoes: true, ..slot.clone() };
                labels.push((format!("{UNDO}{label}"), Owner { step, slot }));
            }
            labels.push((label, Owner { step, slot }));
        }
    }
    labels
}

fn one_key_each(asked: &Asked<'_>) -> Vec<Violation> {
    let mut owners: BTreeMap<&str, BTreeSet<&(String, String)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (place, requests) in asked {
        let keys: BTreeSet<&str> = requests.iter().map(|record| record.idempotency_key.as_str()).collect();
        if keys.len() != 1 || keys.contains("") {
            found.push(Violation::new(KEYS, "", format!("{place:?} was asked for under {keys:?}")));
        }
        for key in keys {
            owners.entry(key).or_default().insert(place);
        }
    }
    let shared = owners.into_iter().filter(|(_, places)| places.len() > 1);
    found
        .extend(shared.map(|(key, places)| Violation::new(KEYS, "", format!("{key} stands for {places:?}"))));
    found
}

fn check(subject: &Subject<'_>, label: &str, owner: &Owner<'_>, requests: &[&Record]) -> Vec<Violation> {
    let wrong = |promise, told: String| subject.violation(promise, format!("{label}: {told}"));
    let mut found = Vec::new();
    let foreign = requests.iter().find(|record| !record.idempotency_key.contains(&subject.execution));
    if let Some(record) = foreign {
        found.push(wrong(KEYS, format!("the key {} is not of this execution", record.idempotency_key)));
    }
    let made = made(requests);
    let owed = is_owed(subject, owner);
    if owed && made == 0 {
        found.push(wrong(ONCE, "it is recorded as done, and was not".to_owned()));
    }
    let started = subject.count("step_started", &owner.slot);
    if requests.len() > started {
        found.push(wrong(ASKED, format!("{} requests of {started} attempts", requests.len())));
    }
    let unanswered = unanswered(subject, owner);
    if made > unanswered + usize::from(owed) {
        found.push(wrong(WINDOW, format!("made {made} times, with {unanswered} unanswered attempts")));
    }
    found.extend(recorded(subject, owner, requests).map(|told| wrong(RECORDED, told)));
    found
}

fn made(requests: &[&Record]) -> usize {
    requests.iter().filter(|record| record.kind.has_effect()).count()
}

/// Whether the log says that the effect was made.
fn is_owed(subject: &Subject<'_>, owner: &Owner<'_>) -> bool {
    result(subject, owner).is_some()
}

fn result<'s>(subject: &'s Subject<'_>, owner: &Owner<'_>) -> Option<Event<'s>> {
    let kind = if owner.slot.undoes { "step_compensated" } else { "step_completed" };
    subject.events().find(|event| event.kind() == kind && event.slot() == owner.slot)
}

/// Attempts that ended in a way in which the effect may have been made, and is not recorded.
fn unanswered(subject: &Subject<'_>, owner: &Owner<'_>) -> usize {
    let lost = |event: &Event<'_>| match event.kind() {
        "step_retrying" | "step_failed" | "step_parked" | "step_compensation_failed" => {
            UNANSWERED.contains(&event.error_code())
        }
        "step_cancelled" => true,
        _ => false,
    };
    subject.events().filter(|event| event.slot() == owner.slot).filter(lost).count()
}

/// The result names the record that the service answered with, and that is a good answer to this request.
fn recorded(subject: &Subject<'_>, owner: &Owner<'_>, requests: &[&Record]) -> Option<String> {
    let number = result(subject, owner)?.0.pointer("/result/body/record").and_then(Value::as_u64);
    let known = requests.iter().any(|record| Some(record.number) == number && record.kind == Kind::Done);
    (!known).then(|| format!("the result names the record {number:?}"))
}

fn count(subject: &Subject<'_>, owner: &Owner<'_>, requests: &[&Record], repeats: &mut Repeats) {
    let made = made(requests);
    repeats.effects += usize::from(made > 0);
    if made < 2 {
        return;
    }
    let lost =
        subject.events().any(|event| event.step() == owner.step.id && event.error_code() == "attempt-lost");
    if lost { repeats.after_a_kill += 1 } else { repeats.after_a_lost_answer += 1 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::subject::sample;
    use super::*;

    fn record(number: u64, kind: Kind) -> Record {
        let idempotency_key = "e/b/run".to_owned();
        Record { number, idempotency_key, key: "1-1".to_owned(), label: "b".to_owned(), kind }
    }

    fn check(records: &[Record]) -> (Repeats, Vec<&'static str>) {
        let scenario = sample::scenario();
        let subjects = [sample::subject(&scenario, sample::log())];
        let (repeats, found) = effects(&subjects, records);
        (repeats, found.iter().map(|violation| violation.promise).collect())
    }

    #[test]
    fn an_effect_may_be_made_again_after_a_lost_attempt_and_is_counted() {
        let (once, found) = check(&[record(1, Kind::Done)]);
        assert_eq!((once.effects, once.after_a_kill, found.len()), (1, 0, 0));
        let (twice, found) = check(&[record(1, Kind::Done), record(2, Kind::Cut)]);
        assert_eq!((twice.effects, twice.after_a_kill, found.len()), (1, 1, 0));
    }

    #[test]
    fn a_repeat_that_nothing_explains_is_seen() {
        let scenario = sample::scenario();
        let mut log = sample::log();
        log[4]["error"]["code"] = json!("http-503");
        let subjects = [sample::subject(&scenario, log)];
        let (_, found) = effects(&subjects, &[record(1, Kind::Done), record(2, Kind::Done)]);
        assert_eq!(found.iter().map(|violation| violation.promise).collect::<Vec<_>>(), [WINDOW]);
    }

    #[test]
    fn an_effect_that_is_missing_or_was_never_asked_for_is_seen() {
        assert_eq!(check(&[]).1, [ONCE, RECORDED]);
        let other =
            Record { key: "9-9".to_owned(), idempotency_key: "f".to_owned(), ..record(2, Kind::Done) };
        assert_eq!(check(&[record(1, Kind::Done), other]).1, [ASKED]);
        let three = [record(1, Kind::Done), record(2, Kind::Shut), record(3, Kind::Shut)];
        assert_eq!(check(&three).1, [ASKED]);
    }

    #[test]
    fn a_result_that_the_service_did_not_give_is_seen() {
        assert_eq!(check(&[record(2, Kind::Done)]).1, [RECORDED]);
        assert_eq!(check(&[record(1, Kind::Cut)]).1, [RECORDED]);
    }

    #[test]
    fn two_keys_of_one_effect_and_one_key_of_two_are_seen() {
        let other = Record { idempotency_key: "e/b/other".to_owned(), ..record(2, Kind::Done) };
        assert_eq!(check(&[record(1, Kind::Done), other]).1, [KEYS]);
        let label = Record { label: "c".to_owned(), ..record(2, Kind::Done) };
        assert_eq!(check(&[record(1, Kind::Done), label]).1, [KEYS, ASKED]);
        let none = Record { idempotency_key: String::new(), ..record(1, Kind::Done) };
        assert_eq!(check(&[none]).1, [KEYS, KEYS]);
    }
}
