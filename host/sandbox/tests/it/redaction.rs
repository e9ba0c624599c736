//! Values of secrets in what a guest says: none is kept anywhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quantum_core::port::{AttemptOutcome, FailureKind, Grant};
use serde_json::json;

use crate::recorder::Recorder;
use crate::script::{everything, told};
use crate::world::{World, failure};
use quantum_core::manifest::SecretPlace::Header;

const VALUE: &str = "s3cr3t \"value\"/1";

fn world() -> World {
    let world = World::new();
    world.secrets.keep("TOKEN", VALUE, &["*"]);
    world
}

fn grant() -> Grant {
    everything(&["*"], &[Header])
}

#[tokio::test]
async fn log_lines_fields_progress_and_output_are_redacted() {
    let world = world();
    let lines = [
        "+a ",
        "vTOKEN",
        "+ b",
        "l", // a line
        "vTOKEN",
        "fTOKEN", // a field that is no JSON
        "+[\"s3cr3t \\\"value\\\"/1\", 7]",
        "fitems", // and one that is
        "+half of ",
        "vTOKEN",
        "g", // progress
        "vTOKEN",
        "n",
        "+end of ",
        "vTOKEN",
        "S", // two lines of output
        "+1",
    ];
    assert_eq!(told(&world.script(grant(), &lines).await), "1");
    let expected = [
        "info a [secret TOKEN] b",
        "info line {\"TOKEN\":\"[secret TOKEN]\"}",
        "info line {\"items\":[\"[secret TOKEN]\",7]}",
        "50% half of [secret TOKEN]",
        "info [secret TOKEN]",
        "info end of [secret TOKEN]",
    ];
    assert_eq!(world.log(), expected);
}

#[tokio::test]
async fn every_way_of_writing_the_value_is_redacted() {
    let world = world();
    let basic = STANDARD.encode(format!("user:{VALUE}"));
    for written in [
        STANDARD.encode(VALUE),
        format!("Basic {basic}"),
        "s3cr3t%20%22value%22%2F1".to_owned(),
        "s3cr3t+%22value%22%2f1".replace("%2f", "%2F"),
        "{\"token\":\"s3cr3t \\\"value\\\"/1\"}".to_owned(),
    ] {
        let line = format!("+x {written} y");
        world.script(grant(), &["pTOKEN", "0", &line, "l", "+1"]).await;
        let logged = world.log().pop().unwrap();
        assert!(logged.contains("[secret TOKEN]") && !logged.contains("s3cr3t"), "{logged}");
    }
    assert!(!world.log().concat().contains(&basic[8..24]));
}

#[tokio::test]
async fn a_long_line_of_output_does_not_end_in_half_a_value() {
    let world = World::new();
    world.secrets.keep("TOKEN", &"0123456789".repeat(10), &["*"]);
    let filler = format!("+{}", "x".repeat(4_050));
    world.script(grant(), &[&filler, "vTOKEN", "S", "+1"]).await;
    assert_eq!(world.log(), [format!("info {}", "x".repeat(4_050))]);
}

#[tokio::test]
async fn a_result_is_redacted_keys_too() {
    let world = world();
    let escaped = "s3cr3t \\\"value\\\"/1";
    let result = format!("+{{\"{escaped}\":[\"x{escaped}\",1]}}");
    let report = world.script(grant(), &["pTOKEN", "0", &result]).await;
    let expected = json!({ "[secret TOKEN]": ["x[secret TOKEN]", 1] });
    assert_eq!(report.outcome, AttemptOutcome::Completed(expected));
    // Before it is opened it is a word like any other.
    let report = world.script(grant(), &[&result]).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!({ VALUE: [format!("x{VALUE}"), 1] })));
}

#[tokio::test]
async fn a_failure_is_redacted_code_message_and_details() {
    let world = world();
    let failed = failure(world.script(grant(), &["+no: ", "vTOKEN", &format!("E{VALUE}")]).await);
    assert_eq!(failed.kind, FailureKind::Permanent);
    assert_eq!(failed.problem.to_string(), "[secret TOKEN]: no: [secret TOKEN]");
    let failed = failure(world.script(grant(), &["+not JSON: ", "vTOKEN", "D"]).await);
    assert_eq!(failed.problem.details, Some(json!("not JSON: [secret TOKEN]")));
    let details = "+{\"token\":\"s3cr3t \\\"value\\\"/1\"}";
    let failed = failure(world.script(grant(), &["pTOKEN", "0", details, "D"]).await);
    assert_eq!(failed.problem.details, Some(json!({ "token": "[secret TOKEN]" })));
}

#[tokio::test]
async fn a_panic_is_redacted() {
    let world = world();
    let failed = failure(world.script(grant(), &["+bad token ", "vTOKEN", &format!("X{VALUE}:1")]).await);
    assert_eq!(failed.kind, FailureKind::Trap);
    assert_eq!(failed.problem.message, "the plugin panicked at [secret TOKEN]:1: bad token [secret TOKEN]");
}

/// A server that says what it was sent tells the guest the value. What the guest makes of it is redacted.
#[tokio::test]
async fn what_a_server_echoes_is_redacted() {
    let (world, server) = (world(), Recorder::start().await);
    let lines = ["pTOKEN", "Hx-say", &server.authority(), "+/", "Q", ">", "<", "l", "+1"];
    assert_eq!(told(&world.script(grant(), &lines).await), "1");
    assert_eq!(world.log(), ["info 200[secret TOKEN]"]);
}

#[tokio::test]
async fn a_denial_that_quotes_the_guest_is_redacted() {
    let world = World::new();
    world.secrets.keep("TOKEN", "s3cr3t-value", &["*"]);
    let lines = ["vTOKEN", "0", "A0s3cr3t-value.example.com", ">", "<"];
    let denied = failure(world.script(everything(&["https://a.example"], &[Header]), &lines).await);
    assert!(denied.problem.message.contains("http://[secret TOKEN].example.com"), "{denied:?}");
    assert!(!format!("{denied:?}").contains("s3cr3t"), "{denied:?}");
}

#[tokio::test]
async fn values_of_less_than_four_bytes_are_not_looked_for() {
    let world = World::new();
    world.secrets.keep("TOKEN", "abc", &["*"]);
    assert_eq!(told(&world.script(grant(), &["pTOKEN", "0", "+\"abc\""]).await), "\"abc\"");
}
