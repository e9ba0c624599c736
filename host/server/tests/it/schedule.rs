//! `quantum schedule …`: what it prints, and what it says to typical mistakes.

use serde_json::{Value, json};

use crate::home::{Home, Host, TENANT};

fn start() -> (Home, Host) {
    let home = Home::new("");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let document = r#"{ "name": "say-hello", "definition": {
        "steps": [{ "action": "hello", "name": "${ input.name }" }] } }"#;
    let file = home.file("say-hello.json", document);
    assert_eq!(home.run(Some(&host), &["intent", "apply", &file]).ok(), "created say-hello-v1\n");
    (home, host)
}

#[test]
fn a_schedule_is_made_shown_paused_and_removed() {
    let (home, host) = start();
    let schedule = |arguments: &[&str]| home.run(Some(&host), &[&["schedule"], arguments].concat());
    let created = schedule(&[
        "create",
        "greeting",
        "--intent",
        "say-hello",
        "--cron",
        "30 2 * * *",
        "--time-zone",
        "Europe/Berlin",
        "--input",
        r#"{"name":"Ada"}"#,
        "--label",
        "team=web",
        "--overlap",
        "queue",
        "--jitter",
        "5m",
    ]);
    let created = created.ok();
    assert!(
        created.starts_with("created greeting; next: 20") && created.ends_with("[Europe/Berlin]\n"),
        "{created}"
    );

    let spring = schedule(&[
        "times",
        "greeting",
        "--count",
        "2",
        "--after",
        "2026-03-28T12:00:00Z",
        "--output",
        "json",
    ]);
    let spring: Value = serde_json::from_str(&spring.ok()).unwrap();
    assert_eq!(spring["items"][0]["local"], "2026-03-29T03:00:00+02:00[Europe/Berlin]");
    let table = schedule(&["times", "greeting", "--count", "1", "--after", "2026-10-24T12:00:00Z"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("DUE ") && lines[0].ends_with("ON THE WALL"), "{table}");
    assert!(
        lines[1].starts_with("2026-10-25T00:30:00.000Z ") && lines[1].contains("02:30:00+02:00"),
        "{table}"
    );

    let list = schedule(&["list", "--intent", "say-hello"]).ok();
    assert!(
        list.lines().nth(1).unwrap().starts_with("greeting  say-hello  30 2 * * *  Europe/Berlin  false"),
        "{list}"
    );
    let shown = schedule(&["show", "greeting"]).ok();
    for line in [
        "overlap       queue",
        "jitter        5m",
        "started       0",
        "paused        false",
        "last started  -",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line} in {shown}");
    }
    let json: Value =
        serde_json::from_str(&schedule(&["show", "greeting", "--output", "json"]).ok()).unwrap();
    assert_eq!((&json["input"], &json["labels"]), (&json!({ "name": "Ada" }), &json!({ "team": "web" })));

    assert_eq!(schedule(&["pause", "greeting"]).ok(), "paused greeting\n");
    assert!(schedule(&["show", "greeting"]).ok().contains("\nnext          -\n"));
    assert!(schedule(&["resume", "greeting"]).ok().starts_with("resumed greeting; next: 20"));
    assert_eq!(schedule(&["delete", "greeting"]).ok(), "removed greeting\n");
    assert_eq!(schedule(&["show", "greeting"]).code, Some(4));
}

#[test]
fn a_mistake_is_told_with_what_to_write() {
    let (home, host) = start();
    let create = |more: &[&str]| {
        let create = ["schedule", "create", "greeting", "--intent", "say-hello"];
        home.run(Some(&host), &[&create[..], more].concat())
    };
    let never = create(&["--cron", "0 0 30 2 *"]).fails(3);
    assert!(never.contains("the line never fires") && never.contains("30 February"), "{never}");
    let zone = create(&["--cron", "@daily", "--time-zone", "Berlin"]).fails(3);
    assert!(zone.contains("did you mean \"Europe/Berlin\"?"), "{zone}");
    let label = create(&["--cron", "@daily", "--label", "team"]).fails(2);
    assert_eq!(label, "error: \"team\" is no label; write --label KEY=VALUE\n");
}
