//! What the client wants to read: `Accept`.

use http::{HeaderMap, header};

/// How events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFormat {
    Stream,
    Page,
}

/// Whether an answer in JSON can be read.
pub(crate) fn takes_json(headers: &HeaderMap) -> bool {
    let Some(ranges) = ranges(headers) else { return true };
    ranges.iter().any(|range| is_json(range) || range == "*/*")
}

/// None: neither a stream nor a page can be read.
pub(crate) fn event_format(headers: &HeaderMap) -> Option<EventFormat> {
    let Some(ranges) = ranges(headers) else { return Some(EventFormat::Stream) };
    let has = |name: &str| ranges.iter().any(|range| range == name);
    if has("text/event-stream") {
        return Some(EventFormat::Stream);
    }
    if ranges.iter().any(|range| is_json(range)) {
        return Some(EventFormat::Page);
    }
    (has("*/*") || has("text/*")).then_some(EventFormat::Stream)
}

fn is_json(range: &str) -> bool {
    matches!(range, "application/json" | "application/problem+json" | "application/*")
}

/// The media ranges that are not excluded by `q=0`, in lower case. None: the client takes what comes.
fn ranges(headers: &HeaderMap) -> Option<Vec<String>> {
    if !headers.contains_key(header::ACCEPT) {
        return None;
    }
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    let wanted = ranges.filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let excluded = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0));
        (!name.is_empty() && !excluded).then_some(name)
    });
    Some(wanted.collect())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn json_is_taken_unless_the_client_says_otherwise() {
        for yes in ["*/*", "application/json", "text/html, application/*;q=0.1"] {
            assert!(takes_json(&accept(yes)), "{yes}");
        }
        for no in ["application/xml", "text/html", "application/json;q=0"] {
            assert!(!takes_json(&accept(no)), "{no}");
        }
    }

    #[test]
    fn events_are_a_stream_unless_json_is_asked_for() {
        let cases = [
            ("*/*", Some(EventFormat::Stream)),
            ("text/event-stream", Some(EventFormat::Stream)),
            ("application/json", Some(EventFormat::Page)),
            ("application/json, text/event-stream", Some(EventFormat::Stream)),
            ("application/xml", None),
        ];
        for (value, format) in cases {
            assert_eq!(event_format(&accept(value)), format, "{value}");
        }
        assert_eq!(event_format(&HeaderMap::new()), Some(EventFormat::Stream));
    }
}
