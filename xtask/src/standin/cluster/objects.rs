//! Reading and writing parts of objects, which are JSON as the API has it.

use serde_json::{Value, json};

/// The text at a pointer; empty when there is none.
pub fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a pointer; 0 when there is none.
pub fn number(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Sets a field of the object at a pointer, which is made when it is missing.
pub fn set(object: &mut Value, pointer: &str, name: &str, value: Value) {
    if let Some(fields) = fields_at(object, pointer) {
        fields.insert(name.to_owned(), value);
    }
}

/// Sets a field unless it is there.
pub fn default(object: &mut Value, pointer: &str, name: &str, value: Value) {
    if let Some(fields) = fields_at(object, pointer) {
        fields.entry(name).or_insert(value);
    }
}

fn fields_at<'v>(object: &'v mut Value, pointer: &str) -> Option<&'v mut serde_json::Map<String, Value>> {
    let mut place = object;
    for name in pointer.split('/').skip(1) {
        place = place.as_object_mut()?.entry(name).or_insert_with(|| json!({}));
    }
    place.as_object_mut()
}

/// Now, as the API writes times.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
