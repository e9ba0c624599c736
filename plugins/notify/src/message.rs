//! What each chat is sent, and what it says of it.

use quantum_sdk::http::Response;
use quantum_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::destination::{Destination, Door};
use crate::settings::Format;

/// Errors of Slack's API that pass.
const SLACK_PASSING: [&str; 5] =
    ["ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// Characters of one message, where the chat says how many it takes. Teams counts bytes of the whole card, and answers
/// 413.
const fn chars_max(format: Format) -> Option<usize> {
    match format {
        Format::Slack => Some(40_000),
        Format::Mattermost => Some(16_383),
        Format::Discord => Some(2_000),
        Format::Teams => None,
    }
}

/// Err: permanent, `invalid-parameters` or `text-too-long`.
pub fn check(text: &str, format: Format) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Failure::permanent("invalid-parameters", "text: it is empty"));
    }
    let (chars, Some(max)) = (text.chars().count(), chars_max(format)) else { return Ok(()) };
    if chars <= max {
        return Ok(());
    }
    let message = format!("text: it has {chars} characters, and {} takes {max}", format.as_str());
    Err(Failure::permanent("text-too-long", message))
}

/// The body of the request.
pub fn body(text: &str, format: Format, to: &Destination) -> Value {
    match format {
        Format::Slack => with_channel("text", text, "channel", to),
        Format::Mattermost if to.door == Door::Api => with_channel("message", text, "channel_id", to),
        Format::Mattermost => with_channel("text", text, "channel", to),
        Format::Discord => json!({ "content": text }),
        Format::Teams => card(text),
    }
}

fn with_channel(text_key: &str, text: &str, channel_key: &str, to: &Destination) -> Value {
    let mut fields = Map::new();
    if let Some(channel) = &to.channel {
        fields.insert(channel_key.to_owned(), channel.as_str().into());
    }
    fields.insert(text_key.to_owned(), text.into());
    fields.into()
}

/// A message with one Adaptive Card, which Teams' workflows post.
fn card(text: &str) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [{ "type": "TextBlock", "text": text, "wrap": true }],
            },
        }],
    })
}

/// The chat's id of the message, where it tells one. Err: it did not take the message.
pub fn posted(response: &Response, format: Format, door: Door) -> Result<Option<String>> {
    if !(200..300).contains(&response.status()) {
        return Err(response.status_error().into());
    }
    if door == Door::Webhook {
        return Ok(None);
    }
    let answer: Value = response.json()?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    if format != Format::Slack {
        return Ok(text("id"));
    }
    // Slack says 200 whatever becomes of the message.
    if answer.get("ok") == Some(&Value::Bool(true)) {
        return Ok(text("ts"));
    }
    Err(refused_by_slack(&text("error").unwrap_or_else(|| "no reason is given".to_owned())))
}

fn refused_by_slack(reason: &str) -> Failure {
    let message = format!("slack did not take the message: {reason}");
    if SLACK_PASSING.contains(&reason) {
        return Failure::retryable("chat-unavailable", message);
    }
    Failure::permanent("chat-refused", message).details(&json!({ "error": reason }))
}
