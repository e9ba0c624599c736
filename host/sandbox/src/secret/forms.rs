//! The ways in which a value is written: as a request needs it, and as it may come back in what a guest says.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Bytes below which a form is not looked for: so short a word is in every other text.
pub(super) const FORM_BYTES_MIN: usize = 4;
/// The same for a line of a value, and for the middle of what was encoded together with other bytes.
const PART_BYTES_MIN: usize = 8;

/// RFC 3986: all but the unreserved characters.
pub(crate) fn percent_encoded(value: &str) -> String {
    percent_encoded_with(value, |byte| format!("%{byte:02X}"))
}

fn percent_encoded_with(value: &str, escape: impl Fn(u8) -> String) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&escape(byte)),
        }
    }
    encoded
}

/// As it stands between the quotes of a JSON string.
pub(crate) fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// The value and what becomes of it in URLs, forms, JSON and base64, alone or behind other bytes as in basic
/// authentication. The lines of a value too, because output is kept line by line.
pub(super) fn forms(value: &str) -> Vec<String> {
    let percent = percent_encoded(value);
    let mut forms = vec![
        value.to_owned(),
        json_escaped(value),
        percent.replace("%20", "+"),
        percent_encoded_with(value, |byte| format!("%{byte:02x}")),
        percent,
        STANDARD.encode(value),
    ];
    forms.extend(base64_middles(value.as_bytes()));
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= PART_BYTES_MIN);
    forms.extend(lines.map(str::to_owned));
    forms.retain(|form| form.len() >= FORM_BYTES_MIN);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The digits that depend on the value alone, for each of the three ways in which bytes in front of it can shift them.
fn base64_middles(value: &[u8]) -> Vec<String> {
    let mut middles = Vec::new();
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        middles.push(engine.encode(value));
        for shift in 0..3 {
            let shifted = engine.encode([vec![0; shift], value.to_vec()].concat());
            let first = (shift * 8).div_ceil(6);
            let last = (shift + value.len()) * 8 / 6;
            middles.extend(shifted.get(first..last).map(str::to_owned));
        }
    }
    middles.retain(|middle| middle.len() >= PART_BYTES_MIN);
    middles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_value_is_found_in_its_text() {
        let value = "p\u{e4}ss w\"rd/1";
        let known = forms(value);
        for text in [
            format!("Bearer {value}"),
            "p%C3%A4ss%20w%22rd%2F1".to_owned(),
            "p%c3%a4ss%20w%22rd%2f1".to_owned(),
            "p%C3%A4ss+w%22rd%2F1".to_owned(),
            format!("{{\"token\":\"{}\"}}", json_escaped(value)),
            STANDARD.encode(value),
        ] {
            assert!(known.iter().any(|form| text.contains(form)), "{text}");
        }
        for user in ["", "u", "us", "use", "user"] {
            for engine in [STANDARD, base64::engine::general_purpose::URL_SAFE] {
                let text = engine.encode(format!("{user}:{value}"));
                assert!(known.iter().any(|form| text.contains(form)), "{text}");
            }
        }
    }

    #[test]
    fn very_short_values_have_no_forms() {
        assert!(forms("abc").iter().all(|form| form.len() >= FORM_BYTES_MIN && form != "abc"));
        assert!(forms("").is_empty());
    }
}
