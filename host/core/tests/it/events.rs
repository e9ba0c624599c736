//! Stored encodings: what an older host wrote loads for ever, and is written the same way again.

use std::collections::BTreeSet;

use quantum_core::machine::{EVENT_FORMAT, Event, EventKind, apply};
use quantum_core::plan::{Plan, PlanDocument};
use quantum_core::time::Timestamp;
use serde_json::json;

use crate::support::{alice, new_execution, plan, updating};

const EVENTS: &str = include_str!("../golden/events-v1.jsonl");
const PLAN: &str = include_str!("../golden/plan-v1.json");
const FORMAT_2: &str = "golden/events-v2.jsonl";
const PLAN_2: &str = "golden/plan-v2.json";

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
        assert_eq!(event.kind.is_end(), ends, "{name}");
    }
}

#[test]
fn a_plan_of_format_1_is_read_compiled_and_written_to_the_same_bytes() {
    let document: PlanDocument = serde_json::from_str(PLAN).unwrap();
    assert_eq!(serde_json::to_string_pretty(&document).unwrap() + "\n", PLAN);
    let plan = Plan::compile(document).unwrap();
    assert_eq!(plan.position("shape"), Some(1));
    assert_eq!(
        plan.compiled(1).unwrap().parameters.steps(),
        [("http-request".to_owned(), "/body".to_owned())]
    );
    let findings = plan.check_input(&serde_json::json!({}));
    assert_eq!(findings[0].message, "\"url\" is a required property");
}

#[test]
fn a_plan_of_a_later_format_is_refused_with_what_helps() {
    let document: PlanDocument =
        serde_json::from_str(&PLAN.replace("\"format\": 1", "\"format\": 3")).unwrap();
    let findings = Plan::compile(document).unwrap_err();
    assert_eq!(findings[0].message, "the plan has format 3, this host reads up to 2");
    assert_eq!(findings[0].hint.as_deref(), Some("run a newer host"));
}

/// `UPDATE=1` writes the files of the present format again; that is for new kinds only, since stored logs do not change.
fn check_golden(path: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    if updating() {
        std::fs::write(&path, made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
}

#[test]
fn every_event_of_format_2_is_read_and_written_to_the_same_bytes() {
    let mut text = String::new();
    for (kind, seq) in crate::pairs::kinds().into_iter().zip(1..) {
        let event = Event { v: 2, seq, at: Timestamp::from_millis(1_763_892_000_123), kind };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        text.push_str(&format!("{line}\n"));
    }
    check_golden(FORMAT_2, &text);
}

#[test]
fn a_plan_of_format_2_is_read_compiled_and_written_to_the_same_bytes() {
    let plan = plan(&json!({
        "timeout": "1h", "order": "graph",
        "concurrency": { "key": "input.tenant", "limit": 2, "on_limit": "replace" },
        "steps": [
            { "id": "wait", "action": "core/wait", "duration": "5m" },
            { "id": "ask", "action": "core/approve", "approvals": 2, "timeout": "1d" },
            { "id": "each", "action": "plain", "when": "input.go",
              "for_each": { "in": "input.hosts", "as": "host", "max_parallel": 3 },
              "retry": { "budget": "10m", "non_retryable": ["gone"] }, "on_error": "continue",
              "on_exhausted": "park", "host": "${ host }",
              "compensate": { "action": "idempotent", "host": "${ host }", "timeout": 5 } },
        ]
    }));
    let text = serde_json::to_string_pretty(&plan.document).unwrap() + "\n";
    let read: PlanDocument = serde_json::from_str(&text).unwrap();
    assert_eq!(read, plan.document);
    Plan::compile(read).unwrap();
    check_golden(PLAN_2, &text);
}

#[test]
fn a_log_of_each_format_is_followed_by_events_of_the_present_one() {
    let start = EVENTS.lines().next().unwrap();
    let old: Event = serde_json::from_str(start).unwrap();
    let mut execution =
        new_execution(plan(&json!({ "steps": [{ "id": "a", "action": "plain" }] })), json!(null));
    apply(&mut execution, &old).unwrap();
    let kind = EventKind::ExecutionPaused { requested_by: alice(), reason: None };
    apply(&mut execution, &Event { v: EVENT_FORMAT, seq: 2, at: old.at, kind }).unwrap();
    assert_eq!(execution.status.as_str(), "paused");
}
