//! What differs between two documents, for people.

use quantum_core::json::pointer;
use serde::Serialize;
use serde_json::{Map, Value};

/// One place where two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub op: DiffOp,
    /// JSON Pointer: into the earlier document for `remove`, else into the later one.
    pub pointer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffOp {
    Add,
    Remove,
    Replace,
}

/// All of them, in the order of the documents.
pub(super) fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(from, to, "", &mut found);
    found
}

fn compare(from: &Value, to: &Value, at: &str, found: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_objects(from, to, at, found),
        (Value::Array(from), Value::Array(to)) => compare_lists(from, to, at, found),
        _ if from == to => {}
        _ => found.push(Difference {
            op: DiffOp::Replace,
            pointer: at.to_owned(),
            from: Some(from.clone()),
            to: Some(to.clone()),
        }),
    }
}

fn compare_objects(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    at: &str,
    found: &mut Vec<Difference>,
) {
    for (key, old) in from {
        match to.get(key) {
            Some(new) => compare(old, new, &pointer(at, key), found),
            None => found.push(removed(pointer(at, key), old)),
        }
    }
    let added = to.iter().filter(|(key, _)| !from.contains_key(*key));
    found.extend(added.map(|(key, new)| added_at(pointer(at, key), new)));
}

/// What both lists begin and end with is the same; of the rest, elements at the same place are compared. So one step
/// that was put in or taken out is one difference.
fn compare_lists(from: &[Value], to: &[Value], at: &str, found: &mut Vec<Difference>) {
    let start = from.iter().zip(to).take_while(|(old, new)| old == new).count();
    let (from, to) = (from.get(start..).unwrap_or_default(), to.get(start..).unwrap_or_default());
    let end = from.iter().rev().zip(to.iter().rev()).take_while(|(old, new)| old == new).count();
    let from = from.get(..from.len() - end).unwrap_or_default();
    let to = to.get(..to.len() - end).unwrap_or_default();
    let place = |offset: usize| pointer(at, start + offset);
    for (offset, (old, new)) in from.iter().zip(to).enumerate() {
        compare(old, new, &place(offset), found);
    }
    found.extend(from.iter().enumerate().skip(to.len()).map(|(offset, old)| removed(place(offset), old)));
    found.extend(to.iter().enumerate().skip(from.len()).map(|(offset, new)| added_at(place(offset), new)));
}

fn removed(pointer: String, old: &Value) -> Difference {
    Difference { op: DiffOp::Remove, pointer, from: Some(old.clone()), to: None }
}

fn added_at(pointer: String, new: &Value) -> Difference {
    Difference { op: DiffOp::Add, pointer, from: None, to: Some(new.clone()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(from: Value, to: Value, wanted: &[&str]) {
        let found = differences(&from, &to);
        let told: Vec<String> = found.iter().map(|d| format!("{:?} {}", d.op, d.pointer)).collect();
        assert_eq!(told, wanted, "{from} → {to}");
    }

    #[test]
    fn each_changed_place_is_told_once() {
        check(json!({"a": 1, "b": {"c": 2}}), json!({"b": {"c": 2}, "a": 1}), &[]);
        check(json!({"a": 1, "b/c": 2}), json!({"a": 2, "d": 3}), &["Replace /a", "Remove /b~1c", "Add /d"]);
        check(json!([1, 2, 3]), json!([1, 9, 2, 3]), &["Add /1"]);
        check(json!([1, 2, 3]), json!([1, 3]), &["Remove /1"]);
        check(json!([{"x": 1}, 2]), json!([{"x": 2}, 2]), &["Replace /0/x"]);
        check(json!([1, 1]), json!([1]), &["Remove /1"]);
    }
}
