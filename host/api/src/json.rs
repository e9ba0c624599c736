//! JSON from outside, read strictly: each key once, at most 64 levels, nothing behind the value, and an error that
//! names line and column.

use std::cell::Cell;
use std::fmt;

use quantum_core::limits::JSON_DEPTH_MAX;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::codes;
use crate::problem::Problem;

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub kind: JsonErrorKind,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    Malformed,
    DuplicateKey,
    TooDeep,
}

/// The value of a whole text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let kind = Cell::new(JsonErrorKind::Malformed);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 1, kind: &kind }.deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        JsonError { kind: kind.get(), line: error.line(), column: error.column(), message }
    })
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        let code = match error.kind {
            JsonErrorKind::Malformed => &codes::MALFORMED_JSON,
            JsonErrorKind::DuplicateKey => &codes::DUPLICATE_KEY,
            JsonErrorKind::TooDeep => &codes::JSON_DEPTH,
        };
        Self::new(code).detail(format!("{} at line {} column {}", error.message, error.line, error.column))
    }
}

/// Reads one value at a depth; tells why it stopped through `kind`.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    kind: &'a Cell<JsonErrorKind>,
}

impl Strict<'_> {
    fn inner(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > JSON_DEPTH_MAX {
            self.kind.set(JsonErrorKind::TooDeep);
            return Err(D::Error::custom(format!("more than {JSON_DEPTH_MAX} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                self.kind.set(JsonErrorKind::DuplicateKey);
                return Err(A::Error::custom(format!("the key \"{key}\" stands here twice")));
            }
            let value = access.next_value_seed(self.inner())?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> JsonErrorKind {
        parse(text.as_bytes()).unwrap_err().kind
    }

    #[test]
    fn a_value_reads_as_serde_json_reads_it() {
        let text = r#"{"b":[1,-2,3.5,true,null,"ä"],"a":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_not_strict_json_is_told_apart() {
        for text in ["", "{", "{}x", "\u{feff}{}", "1e999", "NaN", r#""\ud800""#, "{'a':1}"] {
            assert_eq!(kind(text), JsonErrorKind::Malformed, "{text}");
        }
        assert_eq!(kind(r#"{"a":{"b":1,"b":2}}"#), JsonErrorKind::DuplicateKey);
        assert_eq!(kind(&"[".repeat(65)), JsonErrorKind::TooDeep);
        assert!(parse(format!("{}{}", "[".repeat(64), "]".repeat(64)).as_bytes()).is_ok());
    }

    #[test]
    fn an_error_names_line_and_column() {
        let error = parse(b"{\n  \"a\": x\n}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 8));
    }
}
