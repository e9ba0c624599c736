//! Where a replay leaves its recording: the first call that is not the recorded one.

use std::fmt;

use serde_json::Value;

use super::{Asked, CutWhy};
use crate::json::pointer;

/// Characters of a value in a line for people.
const VALUE_CHARS_MAX: usize = 200;

/// Stops a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Calls of the recording that were made as recorded.
    pub after: usize,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Another call, or the same one about something else: what was recorded, what came, and the first place where they
    /// differ.
    Other { expected: String, got: String, place: Option<String> },
    /// The recorded attempt made no further call.
    Beyond { got: String },
    /// The recording is not whole.
    Cut { got: String, why: CutWhy },
    /// The recorded attempt ended while it waited for this.
    Unanswered { asked: String },
    /// The recorded attempt did not read the answer as far.
    Unread { asked: String },
    /// More was drawn, or another number of bytes.
    Random { expected: Option<usize>, got: usize },
}

/// None: the same call.
pub fn compare(expected: &Asked, got: &Asked) -> Option<Why> {
    if expected == got {
        return None;
    }
    let same_kind = expected.word() == got.word();
    let place = same_kind.then(|| place(expected, got)).flatten();
    Some(Why::Other { expected: expected.shown(), got: got.shown(), place })
}

fn place(expected: &Asked, got: &Asked) -> Option<String> {
    let written = |asked: &Asked| serde_json::to_value(asked).ok();
    first("", &written(expected)?, &written(got)?)
}

fn first(at: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        _ if expected == got => None,
        (Value::Object(expected), Value::Object(got)) if expected.len() == got.len() => {
            expected.iter().find_map(|(name, value)| {
                first(&pointer(at, name), value, got.get(name).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            let mut pairs = expected.iter().zip(got).enumerate();
            pairs.find_map(|(index, (expected, got))| first(&pointer(at, index), expected, got))
        }
        _ => Some(format!("{at}: expected {}, got {}", short(expected), short(got))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let mut shown: String = text.chars().take(VALUE_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Bytes of two bodies: the first place where they differ.
pub(crate) fn bytes_place(expected: &[u8], got: &[u8]) -> String {
    let at = expected.iter().zip(got).take_while(|(expected, got)| expected == got).count();
    let around = |bytes: &[u8]| {
        let from = at.saturating_sub(20);
        let part = bytes.get(from..bytes.len().min(at + 40)).unwrap_or_default();
        Value::from(String::from_utf8_lossy(part)).to_string()
    };
    format!("the body at byte {at}: expected {}, got {}", around(expected), around(got))
}

impl Why {
    /// The same request with another body.
    pub fn body(asked: &Asked, expected: &[u8], got: &[u8]) -> Self {
        let shown = asked.shown();
        Self::Other { expected: shown.clone(), got: shown, place: Some(bytes_place(expected, got)) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.after + 1;
        match &self.why {
            Why::Other { expected, got, place } => {
                write!(f, "call {number} differs from the recorded one: expected {expected}, got {got}")?;
                place.as_ref().map_or(Ok(()), |place| write!(f, "; {place}"))
            }
            Why::Beyond { got } => write!(
                f,
                "call {number} is not in the recording, whose attempt had made its last call before: got {got}"
            ),
            Why::Cut { got, why } => write!(
                f,
                "call {number} is not in the recording, which was cut before it ({}): got {got}",
                why.words()
            ),
            Why::Unanswered { asked } => {
                write!(f, "the recorded attempt ended while it waited for the answer to: {asked}")
            }
            Why::Unread { asked } => {
                write!(f, "the recorded attempt did not read the answer any further: {asked}")
            }
            Why::Random { expected: Some(expected), got } => write!(
                f,
                "behind call {} {got} random bytes are drawn, where the recorded attempt drew {expected}",
                self.after
            ),
            Why::Random { expected: None, got } => write!(
                f,
                "behind call {} {got} random bytes are drawn, where the recorded attempt drew no more",
                self.after
            ),
        }
    }
}
