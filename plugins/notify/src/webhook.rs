//! `send-webhook`: one event to one receiver, signed.

use std::collections::BTreeMap;

use quantum_sdk::prelude::*;
use serde_json::Value;

use crate::settings::Settings;
use crate::signature::sign;

/// Bytes of an event's type: it is a name and no text.
const EVENT_BYTES_MAX: usize = 128;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendWebhook {
    /// The receiver's whole URL, percent-encoded.
    url: String,
    /// The event's type, words with full stops between them: `deployment.finished`.
    event: String,
    /// The event's data: any JSON.
    payload: Value,
    /// More headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Delivered {
    /// What the receiver answered: 200 to 299.
    status: u16,
    /// The message's id, `webhook-id`: the same in every attempt of a step, so that the receiver can drop a second
    /// delivery.
    id: String,
}

/// What is sent, as Standard Webhooks recommends.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    /// RFC 3339.
    timestamp: String,
    data: &'a Value,
}

/// Sends an event to a webhook.
///
/// The body is `{ "type", "timestamp", "data" }`, signed after Standard Webhooks with the secret `WEBHOOK_SECRET`. 408,
/// 425, 429 and 5xx, timeouts and broken connections are tried again; any other status but 200 to 299 fails the step.
#[action(idempotent, http = slot("receiver"), secrets("WEBHOOK_SECRET"), clock)]
pub fn send_webhook(ctx: &Context, p: SendWebhook) -> Result<Delivered> {
    let settings: Settings = ctx.config()?;
    check_event(&p.event)?;
    check_headers(&p.headers)?;
    let (id, now_ms) = (message_id(&ctx.idempotency_key()), ctx.now());
    let seconds = now_ms / 1_000;
    let body = body(&p, now_ms)?;
    let mut request = ctx.http().post(p.url.as_str()).header("content-type", "application/json");
    request = request.header("webhook-id", id.as_str()).header("webhook-timestamp", seconds.to_string());
    if settings.sign {
        request = request.header("webhook-signature", sign(ctx, &id, seconds, &body)?);
    }
    for (name, value) in &p.headers {
        request = request.header(name, value);
    }
    let response = request.body(body).send()?;
    let status = response.status();
    ctx.log().info("answered", &[("url", &p.url), ("event", &p.event), ("id", &id), ("status", &status)]);
    match status {
        200..=299 => Ok(Delivered { status, id }),
        410 => Err(gone(&p.url)),
        _ => Err(response.status_error().into()),
    }
}

fn check_event(event: &str) -> Result<()> {
    let plain = |word: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        !word.is_empty() && word.bytes().all(inner)
    };
    if event.len() <= EVENT_BYTES_MAX && event.split('.').all(plain) {
        return Ok(());
    }
    let message = format!(
        "event: \"{event}\" is no event's type: up to 128 of a-z, A-Z, 0-9, '_' and '-', in words with full stops \
         between them, for example deployment.finished"
    );
    Err(Failure::permanent("invalid-parameters", message))
}

/// What says who sent what, and when, is not the document's to say.
fn check_headers(headers: &BTreeMap<String, String>) -> Result<()> {
    let taken = headers.keys().find(|name| {
        let name = name.to_ascii_lowercase();
        name.starts_with("webhook-") || name == "content-type"
    });
    let Some(name) = taken else { return Ok(()) };
    let message = format!("headers: \"{name}\" is set by the action itself: leave it out");
    Err(Failure::permanent("invalid-parameters", message))
}

/// The same for all attempts of a step. A full stop would end the id within the signed text.
fn message_id(key: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("msg_{}", key.chars().map(safe).collect::<String>())
}

fn body(p: &SendWebhook, now_ms: u64) -> Result<Vec<u8>> {
    let now = i64::try_from(now_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let timestamp = now.unwrap_or_default().to_string();
    let message = Message { event: &p.event, timestamp, data: &p.payload };
    serde_json::to_vec(&message).map_err(|error| {
        Failure::permanent("invalid-parameters", format!("payload: it is not JSON: {error}"))
    })
}

fn gone(url: &str) -> Failure {
    let message =
        format!("{url}: the receiver unsubscribed (410): take the step out, or give it another URL");
    Failure::permanent("receiver-gone", message)
}
