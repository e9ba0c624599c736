//! JSON as CEL sees it, and back.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as Cel;
use cel::objects::{Key, Map};
use serde_json::Value;

/// Whole numbers become `int` where they fit, so that `input.n + 1` means what it says; `uint` is for larger ones.
pub fn to_cel(value: Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Cel::Int(int),
            (None, Some(uint)) => Cel::UInt(uint),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::String(Arc::new(text)),
        Value::Array(items) => Cel::List(Arc::new(items.into_iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let map: HashMap<Key, Cel> =
                fields.into_iter().map(|(name, v)| (Key::from(name), to_cel(v))).collect();
            Cel::Map(Map { map: Arc::new(map) })
        }
    }
}

/// With sorted keys: CEL's maps have no order, and the same step must give the same bytes. Err: what JSON cannot say.
pub fn to_json(value: &Cel) -> Result<Value, String> {
    let mut json = value.json().map_err(|error| error.to_string())?;
    json.sort_all_objects();
    Ok(json)
}
