//! `send-chat-message`: what each chat gets, through which door, and what comes of its answers.

use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::{Answer, Host};
use quantum_sdk::{Failure, Result};
use serde_json::{Value, json};

use super::code;
use crate::chat::send_chat_message;

const HOOK: &str = "https://chat.example/hooks/abc";
const SLACK_API: &str = "https://slack.com/api/chat.postMessage";

fn host(chat: Value) -> Host {
    Host::new().config(json!({ "chat": chat })).secret("CHAT_TOKEN", "s3cret")
}

fn say(host: &Host, more: Value) -> Result<Value> {
    let mut parameters = json!({ "text": "rolled out" });
    for (key, value) in more.as_object().unwrap() {
        parameters[key] = value.clone();
    }
    host.run::<send_chat_message>(parameters)
}

/// What is posted, and how it is authorized.
fn posted(chat: Value, more: Value, url: &str, answer: Answer) -> (Value, Option<String>) {
    let host = host(chat);
    host.answer("POST", url, answer);
    say(&host, more).unwrap();
    let sent = &host.requests()[0];
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let authorization = sent.header("authorization").map(str::to_owned);
    (serde_json::from_slice(&sent.body).unwrap(), authorization)
}

fn refused(chat: Value, more: Value) -> Failure {
    let host = host(chat);
    let failure = say(&host, more).unwrap_err();
    assert_eq!((host.requests().len(), failure.is_retryable()), (0, false), "{failure}");
    failure
}

#[test]
fn each_webhook_gets_its_own_shape_and_no_token() {
    let text = "rolled out";
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "body": [{ "type": "TextBlock", "text": text, "wrap": true }],
    });
    for (format, more, expected) in [
        ("slack", json!({}), json!({ "text": text })),
        ("slack", json!({ "channel": "#ops" }), json!({ "channel": "#ops", "text": text })),
        ("mattermost", json!({ "channel": "ops" }), json!({ "channel": "ops", "text": text })),
        ("discord", json!({}), json!({ "content": text })),
        (
            "teams",
            json!({}),
            json!({ "type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive", "content": card,
        }] }),
        ),
    ] {
        let chat = json!({ "url": HOOK, "format": format });
        assert_eq!(posted(chat, more, HOOK, Answer::text(200, "ok")), (expected, None), "{format}");
    }
}

#[test]
fn an_api_gets_the_token_and_a_channel() {
    let bearer = Some("Bearer placeholder-of-CHAT_TOKEN".to_owned());
    let slack = json!({ "format": "slack", "auth": "token", "channel": "C1" });
    let answer = || Answer::json(200, &json!({ "ok": true, "ts": "1735689600.000100" }));
    let expected = |channel: &str| json!({ "channel": channel, "text": "rolled out" });
    assert_eq!(posted(slack.clone(), json!({}), SLACK_API, answer()), (expected("C1"), bearer.clone()));
    assert_eq!(
        posted(slack, json!({ "channel": "C2" }), SLACK_API, answer()),
        (expected("C2"), bearer.clone())
    );

    let posts = "https://chat.example/api/v4/posts";
    let mattermost = json!({ "format": "mattermost", "auth": "token", "url": posts });
    let body = json!({ "channel_id": "q1w2", "message": "rolled out" });
    let answer = Answer::json(201, &json!({ "id": "p1" }));
    assert_eq!(posted(mattermost, json!({ "channel": "q1w2" }), posts, answer), (body, bearer));

    let messages = "https://discord.com/api/v10/channels/12%2F3/messages";
    let discord = json!({ "format": "discord", "auth": "token" });
    let answer = Answer::json(200, &json!({ "id": "9" }));
    let bot = Some("Bot placeholder-of-CHAT_TOKEN".to_owned());
    let body = json!({ "content": "rolled out" });
    assert_eq!(posted(discord, json!({ "channel": "12/3" }), messages, answer), (body, bot));
}

#[test]
fn a_token_in_the_query_is_a_placeholder_there() {
    let chat = json!({ "format": "teams", "auth": "token", "url": "https://logic.example/flows/1?api-version=1&sig={token}" });
    let url = "https://logic.example/flows/1?api-version=1&sig=placeholder-of-CHAT_TOKEN";
    assert_eq!(posted(chat, json!({}), url, Answer::status(202)).1, None);
}

#[test]
fn teams_behind_a_login_gets_the_token_as_bearer() {
    let chat = json!({ "format": "teams", "auth": "token", "url": HOOK });
    let (body, authorization) = posted(chat, json!({}), HOOK, Answer::status(202));
    assert_eq!(
        (&body["type"], authorization.as_deref()),
        (&json!("message"), Some("Bearer placeholder-of-CHAT_TOKEN"))
    );
}

#[test]
fn the_steps_format_and_channel_come_before_the_installations() {
    let chat = json!({ "url": HOOK, "format": "teams", "channel": "a" });
    let (body, _) = posted(chat, json!({ "format": "slack", "channel": "b" }), HOOK, Answer::status(200));
    assert_eq!(body, json!({ "channel": "b", "text": "rolled out" }));
}

#[test]
fn the_id_of_the_message_is_told_where_the_chat_tells_it() {
    let host = host(json!({ "format": "slack", "auth": "token", "channel": "C1" }));
    host.answer("POST", SLACK_API, Answer::json(200, &json!({ "ok": true, "ts": "1.2" })));
    assert_eq!(say(&host, json!({})), Ok(json!({ "status": 200, "id": "1.2" })));
    let host = super::chats::host(json!({ "format": "discord", "url": HOOK }));
    host.answer("POST", HOOK, Answer::status(204));
    assert_eq!(say(&host, json!({})), Ok(json!({ "status": 204 })));
}

#[test]
fn slack_refuses_with_a_status_of_200() {
    for (answer, expected) in [
        (json!({ "ok": false, "error": "channel_not_found" }), ("chat-refused", false)),
        (json!({ "ok": false }), ("chat-refused", false)),
        (json!({}), ("chat-refused", false)),
        (json!({ "ok": false, "error": "ratelimited" }), ("chat-unavailable", true)),
        (json!({ "ok": false, "error": "internal_error" }), ("chat-unavailable", true)),
    ] {
        let host = host(json!({ "format": "slack", "auth": "token", "channel": "C1" }));
        host.answer("POST", SLACK_API, Answer::json(200, &answer));
        assert_eq!(code(&say(&host, json!({})).unwrap_err()), expected, "{answer}");
    }
}

#[test]
fn a_status_that_is_no_success_is_a_failure_as_everywhere() {
    for (answer, expected) in [
        (Answer::status(302), ("http-302", false)),
        (Answer::text(403, "action_prohibited"), ("http-403", false)),
        (Answer::text(404, "no_service"), ("http-404", false)),
        (Answer::status(413), ("http-413", false)),
        (Answer::status(429).header("retry-after", "1"), ("http-429", true)),
        (Answer::status(502), ("http-502", true)),
        (Answer::error(ErrorKind::Timeout), ("http-timeout", true)),
        (Answer::error(ErrorKind::Denied), ("effect-denied", false)),
    ] {
        let host = host(json!({ "format": "slack", "url": HOOK }));
        host.answer("POST", HOOK, answer);
        assert_eq!(code(&say(&host, json!({})).unwrap_err()), expected);
    }
}

#[test]
fn what_is_missing_is_told_with_where_to_set_it() {
    let token = |format: &str, url: &str| json!({ "format": format, "auth": "token", "url": url });
    for (chat, code, part) in [
        (json!({ "url": HOOK }), "no-chat-format", "set chat.format"),
        (json!({ "format": "slack" }), "no-chat-url", "where slack takes messages: set chat.url"),
        (json!({ "format": "mattermost", "auth": "token" }), "no-chat-url", "where mattermost takes"),
        (json!({ "format": "slack", "auth": "token" }), "no-channel", "slack needs a channel"),
        (json!({ "format": "discord", "auth": "token" }), "no-channel", "discord needs a channel"),
        (json!({ "format": "discord", "auth": "token", "channel": "" }), "no-channel", "set chat.channel"),
        (
            token("slack", "https://a.example/{token}/x"),
            "invalid-config",
            "chat.url: it has {token} before the query",
        ),
        (
            json!({ "format": "teams", "url": "https://a.example/?s={token}" }),
            "invalid-config",
            "set auth to \"token\"",
        ),
        (json!({ "format": "irc" }), "invalid-config", "chat.format: unknown variant `irc`"),
    ] {
        let failure = refused(chat, json!({}));
        assert_eq!(super::code(&failure).0, code, "{failure}");
        assert!(failure.to_string().contains(part), "{failure}");
    }
}

#[test]
fn what_cannot_be_said_is_refused() {
    let long = "ä".repeat(2_001);
    for (format, more, code, part) in [
        ("slack", json!({ "text": " \n" }), "invalid-parameters", "text: it is empty"),
        (
            "discord",
            json!({ "text": long }),
            "text-too-long",
            "it has 2001 characters, and discord takes 2000",
        ),
        (
            "discord",
            json!({ "channel": "x" }),
            "invalid-parameters",
            "the configured URL of discord has its channel",
        ),
        (
            "teams",
            json!({ "channel": "x" }),
            "invalid-parameters",
            "the configured URL of teams has its channel",
        ),
        ("slack", json!({ "format": "irc" }), "invalid-parameters", "format: unknown variant `irc`"),
        ("slack", json!({ "txt": "x" }), "invalid-parameters", "unknown field `txt`"),
    ] {
        let failure = refused(json!({ "url": HOOK, "format": format }), more);
        assert_eq!(super::code(&failure).0, code, "{failure}");
        assert!(failure.to_string().contains(part), "{failure}");
    }
    let long_enough = json!({ "text": "ä".repeat(2_000) });
    posted(json!({ "url": HOOK, "format": "discord" }), long_enough, HOOK, Answer::status(204));
}

#[test]
fn a_token_that_is_not_there_is_told_by_its_name() {
    let host = Host::new().config(json!({ "chat": { "format": "slack", "auth": "token", "channel": "C1" } }));
    let failure = say(&host, json!({})).unwrap_err();
    assert_eq!(failure.to_string(), "secret-missing: there is no secret \"CHAT_TOKEN\"");
}
