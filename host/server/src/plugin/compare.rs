//! Expected against actual: the first place where they differ, for people.

use quantum_core::json::pointer;
use serde_json::Value;

/// In an expected value: anything fits.
const ANY: &str = "<any>";

/// None: they fit.
pub(super) fn difference(expected: &Value, actual: &Value) -> Option<String> {
    at("", expected, actual)
}

/// Only the fields of the outermost object that are expected.
pub(super) fn difference_in_named(expected: &Value, actual: &Value) -> Option<String> {
    let Some(fields) = expected.as_object() else { return difference(expected, actual) };
    fields
        .iter()
        .find_map(|(name, value)| at(&pointer("", name), value, actual.get(name).unwrap_or(&Value::Null)))
}

fn at(place: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::String(any), _) if any == ANY => None,
        (Value::Object(expected), Value::Object(actual)) => {
            let missing = expected.keys().find(|name| !actual.contains_key(*name));
            let surplus = actual.keys().find(|name| !expected.contains_key(*name));
            if let Some(name) = missing {
                return Some(format!("{} is missing", pointer(place, name)));
            }
            if let Some(name) = surplus {
                return Some(format!("{} is not expected", pointer(place, name)));
            }
            expected.iter().find_map(|(name, value)| at(&pointer(place, name), value, actual.get(name)?))
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(index, (e, a))| at(&pointer(place, index), e, a))
        }
        _ if expected == actual => None,
        _ => {
            Some(format!("{}: expected {expected}, got {actual}", if place.is_empty() { "/" } else { place }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        let actual = json!({ "a": [1, { "b": "x" }], "ms": 12 });
        for (expected, found) in [
            (json!({ "a": [1, { "b": "x" }], "ms": "<any>" }), None),
            (json!({ "a": [1, { "b": "y" }], "ms": 12 }), Some("/a/1/b: expected \"y\", got \"x\"")),
            (json!({ "a": [1], "ms": 12 }), Some("/a: expected [1], got [1,{\"b\":\"x\"}]")),
            (json!({ "a": "<any>" }), Some("/ms is not expected")),
            (json!({ "a": "<any>", "ms": 12, "c": 1 }), Some("/c is missing")),
        ] {
            assert_eq!(difference(&expected, &actual).as_deref(), found);
        }
    }

    #[test]
    fn of_a_failure_only_the_named_fields_count() {
        let actual = json!({ "code": "http-404", "message": "gone" });
        assert_eq!(difference_in_named(&json!({ "code": "http-404" }), &actual), None);
        let found = difference_in_named(&json!({ "retryable": true }), &actual);
        assert_eq!(found.as_deref(), Some("/retryable: expected true, got null"));
    }
}
