//! Placeholders in outgoing requests: what the server sees, and when it sees nothing.

use quantum_core::manifest::SecretPlace::{self, Body, Header, Query};
use quantum_core::port::{FailureKind, Grant};
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{everything, told};
use crate::world::{World, failure};

const VALUE: &str = "s3cr3t value/1";

fn world(hosts: &[&str]) -> World {
    let world = World::new();
    world.secrets.keep("TOKEN", VALUE, hosts);
    world
}

fn grant(places: &[SecretPlace]) -> Grant {
    everything(&["*"], places)
}

/// The lines between the request's beginning and its end: `A` and what is sent. The result is the quoted answer.
async fn send(world: &World, server: &Recorder, places: &[SecretPlace], lines: &[&str]) -> String {
    let authority = server.authority();
    let lines: Vec<&str> =
        lines.iter().map(|line| if *line == "A" { authority.as_str() } else { line }).collect();
    told(&world.script(grant(places), &[&lines[..], &["+\"", "<", "+\""]].concat()).await)
}

/// The same, denied: the details of the denial. The server saw no complete request.
async fn denied(world: &World, server: &Recorder, places: &[SecretPlace], lines: &[&str]) -> (String, Value) {
    let authority = server.authority();
    let lines: Vec<&str> =
        lines.iter().map(|line| if *line == "A" { authority.as_str() } else { line }).collect();
    let failure = failure(world.script(grant(places), &[&lines[..], &["<"]].concat()).await);
    assert_eq!((failure.kind, failure.problem.code.as_str()), (FailureKind::Denied, "effect-denied"));
    assert!(server.seen().iter().all(|seen| seen.body.is_none()), "{:?}", server.seen());
    (failure.problem.message, failure.problem.details.unwrap())
}

const GET_WITH_HEADER: &[&str] = &["+Bearer ", "pTOKEN", "Hauthorization", "A", "+/x", "Q", ">"];

#[tokio::test]
async fn the_host_that_the_secret_is_for_gets_the_value() {
    let server = Recorder::start().await;
    let world = world(&[&server.url()]);
    assert_eq!(send(&world, &server, &[Header], GET_WITH_HEADER).await, "\"200ok\"");
    assert_eq!(server.only().header("authorization"), Some("Bearer s3cr3t value/1"));
    let asked = world.gate.asked.lock().unwrap();
    let request = format!("GET 127.0.0.1:{}/x 127.0.0.1 loopback", server.port);
    assert_eq!(*asked, ["use TOKEN development", &request, "use TOKEN development"]);
}

#[tokio::test]
async fn basic_authentication_is_made_by_the_host() {
    let server = Recorder::start().await;
    let world = World::new();
    world.secrets.keep("TOKEN", "open sesame", &["*"]);
    // RFC 7617, section 2.
    let lines = ["+Aladdin", "uTOKEN", "Hauthorization", "A", "+/", "Q", ">"];
    assert_eq!(send(&world, &server, &[Header], &lines).await, "\"200ok\"");
    assert_eq!(server.only().header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[tokio::test]
async fn another_host_is_denied_and_sees_nothing() {
    let server = Recorder::start().await;
    let url = server.url();
    for (bound, hosts) in [
        (&["https://api.example.com"][..], format!("--host https://api.example.com --host {url}")),
        (
            &["POST http://127.0.0.1:*"],
            "--host 'POST http://127.0.0.1:*' --host 'POST,GET http://127.0.0.1:*'".to_owned(),
        ),
        (&["http://127.0.0.1:*/v1"], format!("--host 'http://127.0.0.1:*/v1' --host 'GET {url}/x'")),
        (&[], format!("--host {url}")),
    ] {
        let world = world(bound);
        let (message, details) = denied(&world, &server, &[Header], GET_WITH_HEADER).await;
        let line = format!("quantum secret set TOKEN --environment development {hosts}");
        let expected = format!(
            "the request to {url} was denied: the secret TOKEN is not for this host; allow it with: {line}"
        );
        assert_eq!(message, expected);
        let expected = json!({ "rule": "secret.hosts", "host": "127.0.0.1", "address_class": null,
            "decision_id": null, "allow_with": line, "secret": "TOKEN" });
        assert_eq!(details, expected);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_place_that_is_not_declared_is_denied() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    let query = &["A", "+/x?token=", "pTOKEN", "Q", ">"][..];
    let body =
        &["+49", "Hcontent-length", "A", "MPOST", "O", ">", "+{\"token\":\"", "pTOKEN", "+\"}", "C", "."];
    for (declared, lines, word, places) in [
        (Query, GET_WITH_HEADER, "headers", "[\"query\",\"header\"]"),
        (Header, query, "query", "[\"header\",\"query\"]"),
        (Header, body, "body", "[\"header\",\"body\"]"),
    ] {
        let (message, details) = denied(&world, &server, &[declared], lines).await;
        assert!(
            message.contains(&format!("the plugin does not declare the secret TOKEN for the {word}; ")),
            "{message}"
        );
        let line = format!(
            "\"secrets\": [{{\"name\":\"TOKEN\",\"places\":{places}}}] under \"capabilities\" of the plugin's manifest"
        );
        assert_eq!((&details["rule"], &details["allow_with"]), (&json!("secret.place"), &json!(line)));
    }
    assert_eq!(server.connections(), 0, "a short body is looked at before anything is sent");
}

#[tokio::test]
async fn no_secret_stands_where_none_is_put_in() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    for (lines, place) in [
        (&["A", "+/x/", "pTOKEN", "Q", ">"][..], "path"),
        (&["A", "pTOKEN", "~", ">"], "method"),
        (&["A", "pTOKEN", "+.localhost", "@", ">"], "host"),
        (&["pTOKEN", "h", "A", ">"], "name of a header"),
    ] {
        let (message, details) = denied(&world, &server, &[Header, Query, Body], lines).await;
        let expected =
            format!("the placeholder of the secret TOKEN stands in the {place}, where no secret is put in");
        assert!(message.ends_with(&expected), "{message}");
        assert_eq!((&details["rule"], &details["allow_with"]), (&json!("secret.place"), &Value::Null));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_query_is_filled_as_a_url_needs_it() {
    let server = Recorder::start().await;
    let lines = ["A", "+/x?a=1&token=", "pTOKEN", "+&b=2", "Q", ">"];
    assert_eq!(send(&world(&["*"]), &server, &[Query], &lines).await, "\"200ok\"");
    let seen = server.only();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("GET", "/x?a=1&token=s3cr3t%20value%2F1&b=2"));
}

#[tokio::test]
async fn a_short_body_is_filled_in_the_form_that_it_has_and_its_length_corrected() {
    for (content_type, value, expected) in [
        ("text/plain", "a\"b c", "token=a\"b c"),
        ("application/json; charset=utf-8", "a\"b c", "token=a\\\"b c"),
        ("application/problem+json", "a\"b c", "token=a\\\"b c"),
        ("application/x-www-form-urlencoded", "a\"b c", "token=a%22b%20c"),
    ] {
        let server = Recorder::start().await;
        let world = World::new();
        world.secrets.keep("TOKEN", value, &["*"]);
        let length = ["+43", "Hcontent-length", &format!("+{content_type}"), "Hcontent-type"];
        let lines = ["A", "MPOST", "O", ">", "+token=", "pTOKEN", "C", "."];
        let lines = [&length[..], &lines].concat();
        assert_eq!(send(&world, &server, &[Body], &lines).await, "\"200ok\"", "{content_type}");
        let seen = server.only();
        assert_eq!(seen.body.as_deref(), Some(expected));
        assert_eq!(seen.header("content-length"), Some(expected.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn a_placeholder_that_spans_two_parts_of_a_body_is_replaced() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    for split in ["K1", "K8", "K20", "K43", "K44"] {
        let lines = ["A", "MPOST", "O", ">", "+token=", "pTOKEN", "+;", split, "C", "."];
        assert_eq!(send(&world, &server, &[Body], &lines).await, "\"200ok\"", "{split}");
    }
    for seen in server.seen() {
        assert_eq!(seen.body.as_deref(), Some("token=s3cr3t value/1;"));
        assert_eq!(
            (seen.header("transfer-encoding"), seen.header("content-length")),
            (Some("chunked"), None)
        );
    }
    assert_eq!(server.seen().len(), 5);
}

/// 80 KiB and a placeholder: more than is held.
fn long_body<'a>(length: &'a str, prefix: &'a [&'a str]) -> Vec<&'a str> {
    let mut lines = prefix.to_vec();
    lines.extend([length, "Hcontent-length", "A", "MPUT", "O", ">", "+01234567890123456789"]);
    lines.extend(["2"; 12]);
    lines
}

#[tokio::test]
async fn a_long_body_streams_and_its_length_is_not_announced() {
    let server = Recorder::start().await;
    let mut lines = long_body("+81957", &[]);
    lines.extend(["pTOKEN", "C", "."]);
    assert_eq!(send(&world(&["*"]), &server, &[Body], &lines).await, "\"200ok\"");
    let seen = server.only();
    assert_eq!((seen.header("transfer-encoding"), seen.header("content-length")), (Some("chunked"), None));
    let body = seen.body.unwrap();
    assert_eq!((body.len(), body.ends_with("789s3cr3t value/1")), (81_920 + VALUE.len(), true));
}

#[tokio::test]
async fn a_long_body_that_no_secret_may_stand_in_keeps_its_length() {
    let server = Recorder::start().await;
    let mut lines = long_body("+81920", &["pTOKEN", "Hx-token"]);
    lines.extend(["C", "."]);
    assert_eq!(send(&world(&["*"]), &server, &[Header], &lines).await, "\"200ok\"");
    let seen = server.only();
    assert_eq!((seen.header("content-length"), seen.header("x-token")), (Some("81920"), Some(VALUE)));
    assert_eq!(seen.body.unwrap().len(), 81_920);
}

#[tokio::test]
async fn a_long_body_that_is_denied_is_cut_before_its_placeholder() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    let mut lines = long_body("+81957", &[]);
    lines.extend(["pTOKEN", "C", "."]);
    let (message, details) = denied(&world, &server, &[Header], &lines).await;
    assert!(message.contains("does not declare the secret TOKEN for the body"), "{message}");
    assert_eq!(details["rule"], "secret.place");
}

#[tokio::test]
async fn a_revocation_bites_in_the_middle_of_an_attempt() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    let mut asked = 0;
    *world.gate.decide_secret.lock().unwrap() = Box::new(move |_| {
        asked += 1;
        asked <= 3
    });
    let authority = server.authority();
    let lines = [GET_WITH_HEADER, &["<", "0"], GET_WITH_HEADER, &["<"]].concat();
    let lines: Vec<&str> =
        lines.into_iter().map(|line| if line == "A" { authority.as_str() } else { line }).collect();
    let failure = failure(world.script(grant(&[Header]), &lines).await);
    let (message, details) = (failure.problem.message, failure.problem.details.unwrap());
    let expected = format!(
        "the request to {} was denied: the secret TOKEN may not be used: The secret is frozen; allow it with: \
         unless {{ resource == Secret::\"tenant-1/development/TOKEN\" }} at the end of the policy \
         \"secrets.frozen\" in policies_dir",
        server.url()
    );
    assert_eq!(message, expected);
    assert_eq!((&details["rule"], &details["secret"]), (&json!("secrets.frozen"), &json!("TOKEN")));
    assert_eq!(server.only().header("authorization"), Some("Bearer s3cr3t value/1"));
}

#[tokio::test]
async fn a_placeholder_of_another_attempt_is_a_word_like_any_other() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    assert_eq!(told(&world.script(grant(&[Header]), &["pTOKEN", "splaceholder", "+1"]).await), "1");
    let lines = ["Gplaceholder", "Hx-token", "A", "+/", "Q", ">"];
    assert_eq!(send(&world, &server, &[Header], &lines).await, "\"200ok\"");
    assert!(server.only().header("x-token").unwrap().starts_with("qsec_"));
    // Nor while it has opened the same secret.
    let lines = ["pTOKEN", "0", "Gplaceholder", "Hx-token", "A", "+/", "Q", ">"];
    assert_eq!(send(&world, &server, &[Header], &lines).await, "\"200ok\"");
    assert!(server.seen()[1].header("x-token").unwrap().starts_with("qsec_"));
}

#[tokio::test]
async fn a_value_that_no_header_can_have_is_told() {
    let server = Recorder::start().await;
    let world = World::new();
    world.secrets.keep("TOKEN", "two\nlines", &["*"]);
    let (message, details) = denied(&world, &server, &[Header], GET_WITH_HEADER).await;
    assert!(
        message.contains("the value of the secret TOKEN has characters that no header can have"),
        "{message}"
    );
    assert_eq!(details["rule"], "secret.value");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_request_holds_at_most_64_placeholders() {
    let server = Recorder::start().await;
    let world = world(&["*"]);
    let header = |count: usize| [&["pTOKEN"].repeat(count)[..], &["Hx-token", "A", "+/", "Q", ">"]].concat();
    assert_eq!(send(&world, &server, &[Header], &header(64)).await, "\"200ok\"");
    assert_eq!(server.only().header("x-token"), Some(VALUE.repeat(64).as_str()));
    let other = Recorder::start().await;
    let (message, details) = denied(&world, &other, &[Header], &header(65)).await;
    assert!(message.ends_with("a request holds at most 64 placeholders"), "{message}");
    assert_eq!(details["rule"], "secret.count");
}
