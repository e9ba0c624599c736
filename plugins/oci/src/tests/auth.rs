//! Telling who asks: passwords are placeholders, tokens are asked for once, and nothing of either is told.

use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::registry::{
    Blob, UPLOADS, error, has_everything, push, script, sent, takes_everything, upload, with_image,
};
use super::{ending, message};
use crate::settings::PASSWORD;

const REALM: &str = "https://auth.example/token";
const TOKEN_URL: &str = "https://auth.example/token?service=azurecr.io&scope=repository:myapp:pull,push";

fn as_user(auth: &str) -> (Host, Vec<Blob>) {
    let config = json!({ "registries": { "azurecr.io": { "username": "ci", "auth": auth } } });
    let (host, blobs) = with_image(config);
    (host.secret(PASSWORD, "hunter2"), blobs)
}

fn challenge(realm: &str) -> Answer {
    let header = format!("Bearer realm=\"{realm}\",service=\"azurecr.io\",scope=\"repository:myapp:pull\"");
    error(401, "UNAUTHORIZED").header("WWW-Authenticate", &header)
}

fn authorizations(host: &Host) -> Vec<Option<String>> {
    host.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

/// Nothing that was logged or reported has the text.
fn assert_untold(host: &Host, secret: &str) {
    assert!(host.logs().iter().all(|line| !format!("{line:?}").contains(secret)));
    assert!(host.progress().iter().all(|(_, message)| !message.contains(secret)));
}

#[test]
fn basic_goes_with_every_request_and_is_a_placeholder() {
    let (host, blobs) = as_user("basic");
    takes_everything(&host, &blobs);
    push(&host).unwrap();
    let expected = host.basic_placeholder("ci", PASSWORD);
    assert_eq!(authorizations(&host), vec![Some(expected); 7]);
    assert!(host.requests().iter().all(|request| !format!("{request:?}").contains("hunter2")));
}

#[test]
fn a_token_is_asked_for_once_with_the_password_and_used_for_the_rest() {
    let (host, blobs) = as_user("token");
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    host.answer("GET", TOKEN_URL, Answer::json(200, &json!({ "token": "t0k3n", "expires_in": 300 })));
    has_everything(&host, &blobs);
    push(&host).unwrap();
    let bearer = Some("Bearer t0k3n".to_owned());
    let expected =
        [None, Some(host.basic_placeholder("ci", PASSWORD)), bearer.clone(), bearer.clone(), bearer];
    assert_eq!(authorizations(&host), expected);
    assert_untold(&host, "t0k3n");
}

#[test]
fn a_token_that_ran_out_is_renewed_and_the_piece_sent_again() {
    let (host, blobs) = as_user("token");
    for token in ["first", "second"] {
        host.answer("GET", TOKEN_URL, Answer::json(200, &json!({ "access_token": token })));
    }
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, upload("/upload/0"));
    script(&host, "PUT", &blobs[0].put("/upload/0"), challenge(REALM));
    script(&host, "PUT", &blobs[0].put("/upload/0"), Answer::status(201));
    has_everything(&host, &blobs[1..]);
    push(&host).unwrap();
    let requests = host.requests();
    let puts: Vec<_> = requests.iter().filter(|r| r.url.contains("/upload/0?")).collect();
    assert!(puts.iter().all(|put| put.body == blobs[0].bytes));
    let tokens: Vec<_> = puts.iter().map(|put| put.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["Bearer first", "Bearer second"]);
}

#[test]
fn a_registry_that_wants_basic_gets_it_when_it_asks() {
    let (host, blobs) = as_user("token");
    let asks = error(401, "UNAUTHORIZED").header("WWW-Authenticate", "Basic realm=\"azurecr.io\"");
    script(&host, "HEAD", &blobs[0].path(), asks);
    has_everything(&host, &blobs);
    push(&host).unwrap();
    let basic = Some(host.basic_placeholder("ci", PASSWORD));
    assert_eq!(authorizations(&host), [None, basic.clone(), basic.clone(), basic]);
}

#[test]
fn anyone_gets_a_token_without_a_password_where_that_is_so() {
    let (host, blobs) = with_image(json!({}));
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    host.answer("GET", TOKEN_URL, Answer::json(200, &json!({ "token": "public" })));
    has_everything(&host, &blobs);
    push(&host).unwrap();
    assert_eq!(authorizations(&host)[1], None);
    assert_eq!(authorizations(&host)[2].as_deref(), Some("Bearer public"));
}

#[test]
fn a_token_service_without_tls_is_asked_at_the_registry_itself() {
    let (host, blobs) = as_user("token");
    script(&host, "HEAD", &blobs[0].path(), challenge("http://127.0.0.1:5000/auth"));
    let path = "/auth?service=azurecr.io&scope=repository:myapp:pull,push";
    script(&host, "GET", path, Answer::json(200, &json!({ "token": "t" })));
    has_everything(&host, &blobs);
    push(&host).unwrap();
}

#[test]
fn wrong_credentials_are_permanent_and_say_where_to_look() {
    for auth in ["basic", "token"] {
        let (host, blobs) = as_user(auth);
        let asks = || error(401, "UNAUTHORIZED").header("WWW-Authenticate", "Basic realm=\"x\"");
        script(&host, "HEAD", &blobs[0].path(), asks());
        script(&host, "HEAD", &blobs[0].path(), asks());
        let result = push(&host);
        let told = message(result.clone());
        assert!(told.contains("registries.\"azurecr.io\"") && told.contains("REGISTRY_PASSWORD"), "{told}");
        assert_eq!(ending(result), ("registry-unauthorized".to_owned(), false), "{auth}");
    }
}

#[test]
fn a_token_that_does_not_help_is_not_asked_for_for_ever() {
    let (host, blobs) = as_user("token");
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    host.answer("GET", TOKEN_URL, Answer::json(200, &json!({ "token": "useless" })));
    assert_eq!(ending(push(&host)), ("registry-unauthorized".to_owned(), false));
    assert_eq!(sent(&host).len(), 3);
}

#[test]
fn someone_unknown_is_told_how_to_be_known() {
    let (host, blobs) = with_image(json!({}));
    let asks = error(401, "UNAUTHORIZED").header("WWW-Authenticate", "Basic realm=\"x\"");
    script(&host, "HEAD", &blobs[0].path(), asks);
    let result = push(&host);
    assert!(message(result.clone()).contains("set registries.\"azurecr.io\".username"));
    assert_eq!(ending(result), ("registry-unauthorized".to_owned(), false));
}

fn token_answer(answer: Answer) -> (String, bool) {
    let (host, blobs) = as_user("token");
    script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
    host.answer("GET", TOKEN_URL, answer);
    let result = push(&host);
    assert!(!message(result.clone()).contains("t0k3n"));
    ending(result)
}

#[test]
fn what_a_token_service_answers_otherwise_is_told_apart() {
    let token = |value: Value| Answer::json(200, &json!({ "token": value }));
    for (answer, code, retryable) in [
        (Answer::status(401), "registry-unauthorized", false),
        (Answer::status(403), "registry-unauthorized", false),
        (Answer::status(503), "registry-unavailable", true),
        (Answer::status(302), "registry-redirect", false),
        (Answer::text(200, "t0k3n"), "registry-invalid-answer", false),
        (Answer::json(200, &json!({})), "registry-invalid-answer", false),
        (token(json!("")), "registry-invalid-answer", false),
        (token(json!("t0k3n\r\nx: y")), "registry-invalid-answer", false),
        (token(json!(5)), "registry-invalid-answer", false),
    ] {
        assert_eq!(token_answer(answer.clone()), (code.to_owned(), retryable), "{answer:?}");
    }
}

#[test]
fn a_password_that_was_never_set_is_missing() {
    for auth in ["basic", "token"] {
        let config = json!({ "registries": { "azurecr.io": { "username": "ci", "auth": auth } } });
        let (host, blobs) = with_image(config);
        script(&host, "HEAD", &blobs[0].path(), challenge(REALM));
        assert_eq!(ending(push(&host)), ("secret-missing".to_owned(), false), "{auth}");
    }
}
