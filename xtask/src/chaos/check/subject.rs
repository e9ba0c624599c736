//! An execution that is looked at: what was asked for, and its log.

use serde_json::Value;

use super::super::event::{Event, Slot};
use super::super::scenario::{Scenario, Step};
use super::Violation;

#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub scenario: &'a Scenario,
    pub key: String,
    pub execution: String,
    /// Read after everything had ended.
    pub log: Vec<Value>,
}

impl<'a> Subject<'a> {
    pub fn events(&self) -> impl DoubleEndedIterator<Item = Event<'_>> + ExactSizeIterator + Clone {
        self.log.iter().map(Event)
    }

    pub fn last(&self) -> &str {
        self.events().next_back().map_or("", Event::kind)
    }

    pub fn has(&self, kind: &str) -> bool {
        self.events().any(|event| event.kind() == kind)
    }

    /// How often this happened to the slot.
    pub fn count(&self, kind: &str, slot: &Slot) -> usize {
        self.events().filter(|event| event.kind() == kind && event.slot() == *slot).count()
    }

    /// The last result of a step as a whole, with its place in the log.
    pub fn result(&self, step: &str) -> Option<(usize, Event<'_>)> {
        let whole = Slot::whole(step);
        self.events().enumerate().rfind(|(_, event)| event.is_result() && event.slot() == whole)
    }

    pub fn violation(&self, promise: &'static str, found: impl Into<String>) -> Violation {
        let found = format!("{} {}: {}", self.scenario.name, self.key, found.into());
        Violation::new(promise, &self.execution, found)
    }

    pub fn steps(&self) -> &'a [Step] {
        &self.scenario.steps
    }
}

/// Cases for the checks, as they are written in tests.
#[cfg(test)]
pub mod sample {
    use serde_json::{Value, json};

    use super::Subject;
    use crate::chaos::ledger::Plan;
    use crate::chaos::scenario::{End, Family, Scenario, Step};

    /// Two steps one after the other; the second one has an effect.
    pub fn scenario() -> Scenario {
        let first = Step::new("a");
        let second =
            Step { needs: vec!["a".to_owned()], attempts_max: 3, effect: Some(Plan::Done), ..Step::new("b") };
        Scenario {
            family: Family::Chain,
            name: "sample".to_owned(),
            definition: json!({}),
            steps: vec![first, second],
            deeds: Vec::new(),
            end: End::Succeeds,
            limit: None,
            output: Some(json!("for KEY")),
        }
    }

    /// A good run of it.
    pub fn log() -> Vec<Value> {
        numbered(vec![
            json!({ "type": "execution_started" }),
            json!({ "type": "step_started", "step": "a", "attempt": 1 }),
            json!({ "type": "step_completed", "step": "a", "attempt": 1, "result": {} }),
            json!({ "type": "step_started", "step": "b", "attempt": 1 }),
            json!({ "type": "step_retrying", "step": "b", "attempt": 1, "due_at": "2026-01-01T00:00:01.000Z",
                    "error": { "code": "attempt-lost", "retryable": true } }),
            json!({ "type": "step_started", "step": "b", "attempt": 2, "at": "2026-01-01T00:00:01.000Z" }),
            json!({ "type": "step_completed", "step": "b", "attempt": 2, "result": { "body": { "record": 1 } } }),
            json!({ "type": "execution_completed", "output": "for 1-1" }),
        ])
    }

    /// Gives each event its `seq`.
    pub fn numbered(mut events: Vec<Value>) -> Vec<Value> {
        for (event, seq) in events.iter_mut().zip(1..) {
            event["seq"] = json!(seq);
            event["execution_id"] = json!("e");
        }
        events
    }

    pub fn subject(scenario: &Scenario, log: Vec<Value>) -> Subject<'_> {
        Subject { scenario, key: "1-1".to_owned(), execution: "e".to_owned(), log }
    }
}
