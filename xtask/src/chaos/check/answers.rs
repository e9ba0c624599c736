//! What the API said against the logs: one start is one execution, and what was accepted happened.

use std::collections::{BTreeMap, BTreeSet};

use super::super::answers::{Heard, Said};
use super::{Subject, Violation};

const STARTS: &str = "one start is one execution";
const KEPT: &str = "what the API accepted is in the log";
const REFUSED: &str = "nothing that was refused happened";
const SENSIBLE: &str = "no answer says that the host is broken";

/// Changes, the event that each one leaves, and whether it is refused when it comes too late.
const EVENTS: &[(&str, &str)] = &[
    ("cancel", "cancel_requested"),
    ("signal", "signal_received"),
    ("approve", "approval_recorded"),
    ("pause", "execution_paused"),
    ("resume", "execution_resumed"),
    ("restart", "execution_restarted"),
];

/// What the answers were, all together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Spoken {
    pub accepted: usize,
    /// 429 and 503: try again.
    pub later: usize,
    /// 409: it has ended, or it is so already.
    pub too_late: usize,
    /// Connections that ended without an answer.
    pub lost: usize,
}

pub fn answers(subjects: &[Subject<'_>], said: &[Said]) -> (Spoken, Vec<Violation>) {
    let mut spoken = Spoken::default();
    let mut found: Vec<_> = said.iter().filter_map(|said| sort(said, &mut spoken)).collect();
    found.extend(starts(said));
    let by_execution: BTreeMap<&str, &Subject<'_>> =
        subjects.iter().map(|subject| (subject.execution.as_str(), subject)).collect();
    let mut changes: BTreeMap<(&str, &str), Vec<&Heard>> = BTreeMap::new();
    for said in said.iter().filter(|said| said.operation != "start") {
        changes.entry((&said.operation, &said.about)).or_default().push(&said.result);
    }
    for ((operation, execution), heard) in changes {
        let Some(subject) = by_execution.get(execution) else { continue };
        found.extend(change(subject, operation, &heard));
    }
    (spoken, found)
}

/// Counts an answer; a violation when no answer may be so.
fn sort(said: &Said, spoken: &mut Spoken) -> Option<Violation> {
    match &said.result {
        Heard::Accepted { .. } => spoken.accepted += 1,
        Heard::Lost { .. } => spoken.lost += 1,
        Heard::Refused { status: 429 | 503, .. } => spoken.later += 1,
        Heard::Refused { status: 409, .. } if said.operation != "start" => spoken.too_late += 1,
        Heard::Refused { status, code } => {
            let told = format!("{} of {} was answered with {status} {code}", said.operation, said.key);
            return Some(Violation::new(SENSIBLE, &said.about, told));
        }
    }
    None
}

fn starts(said: &[Said]) -> Vec<Violation> {
    let mut executions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for said in said.iter().filter(|said| said.operation == "start") {
        let Heard::Accepted { execution, replayed, .. } = &said.result else { continue };
        executions.entry(&said.key).or_default().insert(execution);
        *first.entry(&said.key).or_default() += usize::from(!replayed);
    }
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, ids) in &executions {
        ids.iter().for_each(|id| owners.entry(id).or_default().push(key));
    }
    let several = executions.iter().filter(|(_, ids)| ids.len() > 1);
    let several = several.map(|(key, ids)| Violation::new(STARTS, "", format!("{key} started {ids:?}")));
    let shared = owners.iter().filter(|(_, keys)| keys.len() > 1);
    let shared = shared.map(|(id, keys)| Violation::new(STARTS, id, format!("it was started by {keys:?}")));
    let anew = first.iter().filter(|(_, count)| **count > 1);
    let anew = anew.map(|(key, count)| Violation::new(STARTS, "", format!("{key} was new {count} times")));
    several.chain(shared).chain(anew).collect()
}

fn change(subject: &Subject<'_>, operation: &str, heard: &[&Heard]) -> Option<Violation> {
    let (_, event) = EVENTS.iter().find(|(known, _)| *known == operation)?;
    let happened = subject.has(event);
    let accepted = heard.iter().any(|heard| matches!(heard, Heard::Accepted { .. }));
    if accepted && !happened {
        return Some(subject.violation(KEPT, format!("{operation} was accepted, and there is no {event}")));
    }
    // After a 503 the change may have been written all the same.
    let refused = heard.iter().all(|heard| matches!(heard, Heard::Refused { status: 400..500, .. }));
    let told = || format!("{operation} was only ever refused, and there is {event}");
    (refused && happened).then(|| subject.violation(REFUSED, told()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::subject::sample;
    use super::*;

    fn said(operation: &str, key: &str, about: &str, result: Heard) -> Said {
        let (operation, key, about) = (operation.to_owned(), key.to_owned(), about.to_owned());
        Said { at_ms: 0, operation, key, about, result }
    }

    fn accepted(execution: &str, replayed: bool) -> Heard {
        Heard::Accepted { status: 202, execution: execution.to_owned(), replayed }
    }

    fn refused(status: u16) -> Heard {
        Heard::Refused { status, code: "some-code".to_owned() }
    }

    fn check(said: &[Said]) -> Vec<&'static str> {
        let scenario = sample::scenario();
        let mut log = sample::log();
        log.push(json!({ "type": "execution_paused" }));
        let subjects = [sample::subject(&scenario, log)];
        answers(&subjects, said).1.iter().map(|violation| violation.promise).collect()
    }

    #[test]
    fn a_start_that_is_lost_and_sent_again_is_good() {
        let lost = Heard::Lost { reason: "reset".to_owned() };
        let all = [
            said("start", "1-1", "sample", lost),
            said("start", "1-1", "sample", refused(503)),
            said("start", "1-1", "sample", accepted("e", true)),
            said("start", "1-1", "sample", accepted("e", true)),
        ];
        assert_eq!(check(&all), [""; 0]);
        let spoken = answers(&[], &all).0;
        assert_eq!(spoken, Spoken { accepted: 2, later: 1, too_late: 0, lost: 1 });
    }

    #[test]
    fn two_executions_of_a_key_two_keys_of_an_execution_and_two_firsts_are_seen() {
        let start = |key, execution, replayed| said("start", key, "sample", accepted(execution, replayed));
        assert_eq!(check(&[start("1-1", "e", true), start("1-1", "f", true)]), [STARTS]);
        assert_eq!(check(&[start("1-1", "e", true), start("1-2", "e", true)]), [STARTS]);
        assert_eq!(check(&[start("1-1", "e", false), start("1-1", "e", false)]), [STARTS]);
    }

    #[test]
    fn what_was_accepted_and_did_not_happen_or_was_refused_and_did_is_seen() {
        assert_eq!(check(&[said("cancel", "1-1", "e", accepted("e", false))]), [KEPT]);
        assert_eq!(check(&[said("pause", "1-1", "e", accepted("e", false))]), [""; 0]);
        assert_eq!(check(&[said("pause", "1-1", "e", refused(409))]), [REFUSED]);
        assert_eq!(check(&[said("pause", "1-1", "e", refused(503))]), [""; 0]);
        assert_eq!(check(&[said("cancel", "1-1", "e", refused(409))]), [""; 0]);
    }

    #[test]
    fn an_internal_error_and_a_refused_start_are_seen() {
        assert_eq!(check(&[said("cancel", "1-1", "e", refused(500))]), [SENSIBLE]);
        assert_eq!(check(&[said("start", "1-1", "sample", refused(409))]), [SENSIBLE]);
    }
}
