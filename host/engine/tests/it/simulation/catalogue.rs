//! One intent for each thing that an execution can do.

use serde_json::{Value, json};

use super::scenario::{Scenario, echo};

fn undoable(id: &str) -> Value {
    json!({ "id": id, "action": "echo", "said": id, "compensate": { "action": "echo", "undo": id } })
}

fn after(id: &str, before: &[&str]) -> Value {
    json!({ "id": id, "action": "echo", "depends_on": before })
}

fn each(id: &str, parallel: u32) -> Value {
    json!({ "id": id, "action": "echo", "said": "${ item }",
            "for_each": { "in": "['x', 'y', 'z']", "max_parallel": parallel } })
}

/// Twenty of them, by name. None depends on which of two steps is faster: their ends are compared.
pub fn all() -> Vec<(&'static str, Scenario)> {
    let sequence = |steps: Vec<Value>| json!({ "steps": steps });
    let graph = |steps: Vec<Value>| json!({ "order": "graph", "steps": steps });
    let undoable_each = json!({
        "id": "a", "action": "echo", "for_each": { "in": "[1, 2]" }, "compensate": { "action": "echo", "undo": "${ item }" }
    });
    let wait = json!({ "id": "w", "action": "core/wait", "duration": "2s" });
    let signal = json!({ "id": "w", "action": "core/signal", "name": "go" });
    let approve = json!({ "id": "w", "action": "core/approve", "approvals": 2 });
    let child = json!({ "id": "w", "action": "core/execute-intent", "intent": "child" });
    let fail = json!({ "id": "f", "action": "core/fail", "message": "on purpose" });
    let handled = json!({ "id": "broken", "action": "echo", "on_error": "continue" });
    let skipped = json!({ "id": "no", "action": "echo", "when": "1 > 2" });
    let holes =
        json!({ "id": "broken", "action": "echo", "on_error": "continue", "for_each": { "in": "[1, 2]" } });
    let when_in_graph = json!({ "id": "b", "action": "echo", "when": "steps.a.status == 'succeeded'" });
    let named = vec![
        ("one step", sequence(vec![echo("a")])),
        ("three steps", sequence(vec![echo("a"), echo("b"), echo("c")])),
        ("no step", sequence(vec![])),
        (
            "a diamond",
            graph(vec![echo("a"), after("b", &["a"]), after("c", &["a"]), after("d", &["b", "c"])]),
        ),
        ("side by side", graph(vec![echo("a"), echo("b"), echo("c")])),
        ("a retry", sequence(vec![echo("flaky"), echo("b")])),
        ("a failure", sequence(vec![echo("a"), echo("broken"), echo("c")])),
        ("a condition in a graph", graph(vec![echo("a"), when_in_graph])),
        ("a handled failure", sequence(vec![handled, echo("b")])),
        ("a skipped step", sequence(vec![skipped, echo("b")])),
        ("a list", sequence(vec![each("a", 2), echo("b")])),
        ("a list in sequence", sequence(vec![each("flaky", 1)])),
        ("a list with holes", sequence(vec![holes, echo("b")])),
        ("undoing", sequence(vec![undoable("a"), undoable("b"), echo("broken")])),
        ("undoing what is flaky", sequence(vec![undoable("flaky"), echo("broken")])),
        ("undoing a list", sequence(vec![undoable_each, fail])),
        ("a wait", sequence(vec![wait, echo("b")])),
        ("a signal", sequence(vec![echo("a"), signal, echo("b")])),
        ("approvals", sequence(vec![approve, echo("b")])),
        ("a child", sequence(vec![child, echo("b")])),
    ];
    named.into_iter().map(|(name, definition)| (name, Scenario::of(definition))).collect()
}
