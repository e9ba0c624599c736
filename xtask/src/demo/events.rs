//! The ordered log of an execution: read, shown, and held against the promises.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub seq: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub step: Option<String>,
    pub attempt: Option<u32>,
    pub result: Option<Value>,
    pub error: Option<Value>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Event>,
    next_page_token: Option<String>,
}

pub fn parse(text: &str) -> Result<Vec<Event>> {
    let page: Page = serde_json::from_str(text)
        .map_err(|error| Error::demo("a page of events", format!("{error} in {text}")))?;
    match page.next_page_token {
        None => Ok(page.items),
        Some(_) => Err(Error::demo(
            "a log that fits one page",
            format!("there are more than {} events", page.items.len()),
        )),
    }
}

/// One line an event, as long as a terminal is wide.
pub fn show(events: &[Event]) {
    for event in events {
        let step = event.step.as_deref().unwrap_or("");
        let attempt = event.attempt.map_or(String::new(), |number| format!("attempt {number}"));
        let more = event.result.as_ref().or(event.error.as_ref()).map_or(String::new(), Value::to_string);
        let more: String = more.chars().take(60).collect();
        println!("  {:>3}  {:<20} {step:<10} {attempt:<10} {more}", event.seq, event.kind);
    }
}

/// The promises of every log: `seq` from 1 without gaps, one result a step, and this end.
pub fn check(events: &[Event], last: &str) -> Result<()> {
    for (expected, event) in (1..).zip(events) {
        if event.seq != expected {
            return Err(Error::demo(
                format!("event {expected}"),
                format!("the log goes on with {}", event.seq),
            ));
        }
    }
    let mut results = BTreeMap::<&str, u32>::new();
    for event in events.iter().filter(|event| matches!(event.kind.as_str(), "step_completed" | "step_failed"))
    {
        *results.entry(event.step.as_deref().unwrap_or_default()).or_default() += 1;
    }
    if let Some((step, count)) = results.iter().find(|(_, count)| **count != 1) {
        return Err(Error::demo(format!("one result of step {step}"), format!("the log has {count}")));
    }
    match events.last() {
        Some(event) if event.kind == last => Ok(()),
        Some(event) => Err(Error::demo(format!("{last} at the end"), format!("it is {}", event.kind))),
        None => Err(Error::demo("an event log", "it is empty")),
    }
}

/// How many events of a kind a step has.
pub fn count(events: &[Event], kind: &str, step: &str) -> usize {
    events.iter().filter(|event| event.kind == kind && event.step.as_deref() == Some(step)).count()
}

/// The first text of the form of a UUID: ids of executions are the only ones that commands print.
pub fn execution_id(text: &str) -> Result<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    let is_uuid = |word: &&str| {
        let parts: Vec<_> = word.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12]
    };
    let found = words.into_iter().find(is_uuid).map(str::to_owned);
    found.ok_or_else(|| Error::demo("the id of an execution on standard output", format!("it is \"{text}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(rows: &[(u64, &str, &str)]) -> Vec<Event> {
        let event = |(seq, kind, step): &(u64, &str, &str)| Event {
            seq: *seq,
            kind: (*kind).to_owned(),
            step: Some((*step).to_owned()),
            attempt: None,
            result: None,
            error: None,
        };
        rows.iter().map(event).collect()
    }

    #[test]
    fn a_gap_a_second_result_and_a_wrong_end_are_seen() {
        let end = "execution_completed";
        assert!(check(&log(&[(1, "step_completed", "a"), (2, end, "")]), end).is_ok());
        let broken: [&[(u64, &str, &str)]; 4] = [
            &[(1, "step_completed", "a"), (3, end, "")],
            &[(1, "step_completed", "a"), (2, "step_completed", "a"), (3, end, "")],
            &[(1, end, ""), (2, "step_completed", "a")],
            &[],
        ];
        for rows in broken {
            assert!(check(&log(rows), end).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn a_page_of_events_is_read_and_an_incomplete_one_refused() {
        let events =
            parse(r#"{"items":[{"seq":1,"type":"step_started","step":"a","attempt":2,"at":"now"}]}"#)
                .unwrap();
        assert_eq!(events.first().map(|e| (e.seq, e.attempt)), Some((1, Some(2))));
        assert!(parse(r#"{"items":[],"next_page_token":"x"}"#).is_err());
    }

    #[test]
    fn the_id_is_found_in_any_text() {
        let id = "0198c0de-0000-7000-8000-000000000000";
        assert_eq!(execution_id(&format!("started \"{id}\", follow it")).unwrap(), id);
        assert!(execution_id("nothing here").is_err());
    }
}
