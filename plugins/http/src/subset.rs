//! Whether an answer holds at least what is expected.

use serde_json::Value;

/// Every expected field is there with an equal value, at any depth; lists are compared element by element and have the
/// same length.
pub fn holds(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().all(|(name, value)| actual.get(name).is_some_and(|found| holds(value, found)))
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(e, a)| holds(e, a))
        }
        _ => expected == actual,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_fields_are_fine_and_fewer_or_other_ones_are_not() {
        let actual = json!({ "status": "up", "parts": [{ "name": "db", "up": true }], "n": 1 });
        for yes in [json!({}), json!({ "status": "up" }), json!({ "parts": [{ "up": true }] })] {
            assert!(holds(&yes, &actual), "{yes}");
        }
        for no in [json!({ "status": "down" }), json!({ "parts": [] }), json!({ "gone": null }), json!([])] {
            assert!(!holds(&no, &actual), "{no}");
        }
    }
}
