//! Stored encodings: what an older host wrote loads for ever, and is written the same way again.

use std::collections::BTreeSet;

use quantum_core::machine::Event;
use quantum_core::plan::{Plan, PlanDocument};

const EVENTS: &str = include_str!("../golden/events-v1.jsonl");
const PLAN: &str = include_str!("../golden/plan-v1.json");

#[test]
fn every_event_of_format_1_is_read_and_written_to_the_same_bytes() {
    let mut kinds = BTreeSet::new();
    for line in EVENTS.lines() {
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        kinds.insert(event.kind.name());
        assert!(line.contains(&format!("\"type\":\"{}\"", event.kind.name())));
    }
    assert_eq!(kinds.len(), 11, "one line of each kind: {kinds:?}");
}

#[test]
fn only_the_last_events_of_an_execution_say_so() {
    let events = EVENTS.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    for event in events {
        let name = event.kind.name();
        let ends = ["execution_completed", "execution_failed", "execution_cancelled"].contains(&name);
        assert_eq!(event.kind.is_last(), ends, "{name}");
    }
}

#[test]
fn a_plan_of_format_1_is_read_compiled_and_written_to_the_same_bytes() {
    let document: PlanDocument = serde_json::from_str(PLAN).unwrap();
    assert_eq!(serde_json::to_string_pretty(&document).unwrap() + "\n", PLAN);
    let plan = Plan::compile(document).unwrap();
    assert_eq!(plan.position("shape"), Some(1));
    assert_eq!(plan.parameters(1).unwrap().steps(), [("http-request".to_owned(), "/body".to_owned())]);
    let findings = plan.check_input(&serde_json::json!({}));
    assert_eq!(findings[0].message, "\"url\" is a required property");
}

#[test]
fn a_plan_of_a_later_format_is_refused_with_what_helps() {
    let document: PlanDocument =
        serde_json::from_str(&PLAN.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let findings = Plan::compile(document).unwrap_err();
    assert_eq!(findings[0].message, "the plan has format 2, this host reads up to 1");
    assert_eq!(findings[0].hint.as_deref(), Some("run a newer host"));
}
