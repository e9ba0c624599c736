//! Lengths of time in documents: a number of seconds, or a text such as `500ms`, `90s`, `5m`, `1h`, `7d`.

use serde_json::Value;

/// What may stand there, for findings.
pub const DURATION_HINT: &str =
    "a number of seconds, or a text such as \"500ms\", \"90s\", \"5m\", \"1h\", \"7d\"";

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Milliseconds. None: not a length of time.
pub fn parse_duration_ms(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => from_seconds(number.as_f64()?),
        Value::String(text) => {
            let digits = text.find(|c: char| !c.is_ascii_digit())?;
            let count: u64 = text[..digits].parse().ok()?;
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == &text[digits..])?;
            count.checked_mul(*unit)
        }
        _ => None,
    }
}

/// As a document would say it, in the largest unit that gives a whole number.
pub fn duration_text(millis: u64) -> String {
    let whole = |(_, unit): &&(&str, u64)| millis >= *unit && millis.is_multiple_of(*unit);
    let (name, unit) = UNITS.iter().find(whole).unwrap_or(&("ms", 1));
    format!("{}{name}", millis / unit)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before the cast"
)]
fn from_seconds(seconds: f64) -> Option<u64> {
    let millis = seconds * 1_000.0;
    (0.0..=1e15).contains(&millis).then_some(millis as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        let cases = [(json!(60), 60_000), (json!(0.5), 500), (json!("90s"), 90_000), (json!("5m"), 300_000)];
        for (value, millis) in cases {
            assert_eq!(parse_duration_ms(&value), Some(millis), "{value}");
        }
        for bad in [json!(-1), json!("5"), json!("5 m"), json!("m"), json!(true), json!("99999999999999999h")]
        {
            assert_eq!(parse_duration_ms(&bad), None, "{bad}");
        }
    }

    #[test]
    fn lengths_of_time_are_told_as_they_are_written() {
        for text in ["500ms", "90s", "5m", "1500ms", "2h", "7d", "0ms"] {
            assert_eq!(parse_duration_ms(&json!(text)).map(duration_text).as_deref(), Some(text));
        }
    }
}
