//! JSON values as they are handed around: shared, never copied.

use std::sync::Arc;

/// A shared JSON value. Outputs of steps are read by many expressions and copied by none.
pub type Json = Arc<serde_json::Value>;

/// The nesting of a value: 1 for a scalar.
pub fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}

/// One step of a JSON Pointer (RFC 6901) added to another.
pub fn pointer(base: &str, token: impl std::fmt::Display) -> String {
    let token = token.to_string().replace('~', "~0").replace('/', "~1");
    format!("{base}/{token}")
}
