//! The command line: what it prints, its exit codes, and what it says to typical mistakes.

use std::fs;

use serde_json::{Value, json};

use crate::home::{Home, Host, TENANT};

/// A host with a tenant and the intent `say-hello`.
fn start() -> (Home, Host) {
    let home = Home::new("");
    let host = home.start();
    home.create_tenant(&host, TENANT);
    let document = r#"{ "name": "say-hello", "definition": {
        "input": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
        "steps": [{ "action": "hello", "name": "${ input.name }" }],
        "output": { "text": "${ steps.hello.output.text }" } } }"#;
    let file = home.file("say-hello.json", document);
    assert_eq!(home.run(Some(&host), &["intent", "apply", &file]).ok(), "created say-hello-v1\n");
    (home, host)
}

/// The text without what differs from run to run: ids of executions and decisions.
fn normal(text: &str) -> String {
    let is_id = |word: &str| {
        word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
            && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    text.split_inclusive([' ', '\n'])
        .map(
            |word| if is_id(word.trim_end()) { word.replace(word.trim_end(), "ID") } else { word.to_owned() },
        )
        .collect()
}

#[test]
fn run_with_follow_shows_each_event_and_the_result() {
    let (home, host) = start();
    let run = ["run", "say-hello", "--input", r#"{"name":"Ada"}"#];
    let shown = home.run(Some(&host), &[&run[..], &["--follow"]].concat()).ok();
    let expected = "execution ID\n  \
                      started      say-hello-v1\n  \
                      running      hello (attempt 1)\n  \
                      completed    hello (attempt 1) → {\"text\":\"Hello, Ada!\"}\n  \
                      succeeded    {\"text\":\"Hello, Ada!\"}\n";
    let lines: String = shown.split_inclusive('\n').filter(|line| !line.starts_with("  info ")).collect();
    assert_eq!(normal(&lines), expected);
    assert_eq!(normal(&home.run(Some(&host), &run).ok()), "execution ID started\n");

    let json = home.run(Some(&host), &[&run[..], &["--follow", "--output", "json"]].concat()).ok();
    let types: Vec<String> = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event.get("seq").is_some())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(types, ["execution_started", "step_started", "step_completed", "execution_completed"]);
}

#[test]
fn an_execution_gets_the_labels_that_it_is_started_with() {
    let (home, host) = start();
    let run = ["run", "say-hello", "--input", r#"{"name":"Ada"}"#, "--output", "json"];
    let labels = ["--label", "quantum/record=all", "--label", "team=a=b"];
    let started = home.run(Some(&host), &[&run[..], &labels].concat()).ok();
    let started: Value = serde_json::from_str(&started).unwrap();
    let id = started["execution_id"].as_str().unwrap();
    let shown = home.run(Some(&host), &["execution", "show", id, "--output", "json"]).ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["labels"], json!({ "quantum/record": "all", "team": "a=b" }));
    let twice = home.run(Some(&host), &[&run[..], &["--label", "a=1", "--label", "a=2"]].concat()).fails(2);
    assert_eq!(twice, "error: the label a is given twice; it has one value\n");
    let batch = home.run(Some(&host), &["run", "--batch", "-", "--label", "a=1"]).fails(2);
    assert!(batch.contains("cannot be used with"), "{batch}");
}

#[test]
fn a_batch_of_starts_says_which_lines_were_refused() {
    let (home, host) = start();
    let good = r#"{ "intent": "say-hello", "input": { "name": "Ada" }, "idempotency_key": "KEY" }"#;
    let good = |key: usize| good.replace("KEY", &format!("k{key}"));
    // More than one request's worth.
    let lines: Vec<String> = (0..1_001).map(good).collect();
    home.file("many.jsonl", lines.join("\n"));
    let run = ["run", "--batch", "many.jsonl"];
    assert_eq!(home.run(Some(&host), &run).ok(), "1001 of 1001 executions started\n");
    let again = home.run(Some(&host), &[&run[..], &["--output", "json"]].concat()).ok();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["started"], 1_001);
    assert!(again["items"].as_array().unwrap().iter().all(|item| item["replayed"] == json!(true)));

    let mixed = format!("{}\n\n{{ \"intent\": \"say-hello\", \"input\": {{}} }}\n", good(1));
    let ran = home.run_with(Some(&host), &["run", "--batch", "-"], &mixed);
    let told = "line 3: Invalid input: the input does not fit the intent's schema [invalid-input]\n  \
                /items/1/input: \"name\" is a required property [input]\n  \
                hint: each entry of errors says where and what would be accepted\n\
                1 of 2 executions started\n";
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), told));
    assert_eq!(ran.err, "error: 1 of 2 starts were refused\n");
    let broken = home.run_with(Some(&host), &["run", "--batch", "-"], "{}\n{").fails(2);
    let expected = "error: understand line 2 of - as JSON: EOF while parsing an object at line 1 column 1\n";
    assert_eq!(broken, expected);
    assert!(home.run(Some(&host), &["run"]).fails(2).contains("<INTENT>"));
}

#[test]
fn executions_are_counted_before_all_that_are_meant_are_cancelled() {
    let loopback = "[egress]\nallow_cidrs = [\"127.0.0.0/8\"]\n";
    let home = Home::with_http(&format!("{loopback}[plugins.http]\nallow_hosts = [\"http://127.0.0.1:*\"]"));
    let host = home.start();
    home.create_tenant(&host, TENANT);
    // Nobody answers there, so it is tried again an hour later.
    let waits = |name: &str| {
        let retry = json!({ "initial_interval": "1h", "max_interval": "1h", "jitter": "none" });
        let step = json!({ "action": "http-request", "url": "http://127.0.0.1:1/", "retry": retry });
        let document = json!({ "name": name, "definition": { "steps": [step] } });
        let file = home.file(&format!("{name}.json"), document.to_string());
        home.run(Some(&host), &["intent", "apply", &file]).ok();
    };
    waits("one");
    waits("two");
    let starts = [r#"{ "intent": "one" }"#, r#"{ "intent": "two" }"#, r#"{ "intent": "one" }"#].join("\n");
    home.run_with(Some(&host), &["run", "--batch", "-"], &starts).ok();
    let cancel = |more: &[&str]| {
        let arguments = [&["execution", "cancel", "--all"][..], more].concat();
        home.run(Some(&host), &arguments)
    };
    let counted = "2 executions would be cancelled; to cancel them, add --yes\n";
    assert_eq!(cancel(&["--intent", "one"]).ok(), counted);
    let refused = home.run(Some(&host), &["execution", "cancel", "--intent", "one"]).fails(2);
    assert!(refused.contains("--all"), "{refused}");
    let done = cancel(&["--intent", "one", "--reason", "mistake", "--yes"]).ok();
    assert_eq!(done, "2 executions are being cancelled\n");
    let json = cancel(&["--output", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["dry_run"], &json["done"]), (&json!(true), &json!(1)), "{json}");
}

/// Exit code, arguments, and everything that is said.
const FAILURES: &[(i32, &[&str], &str)] = &[
    (
        1,
        &["run", "failing", "--follow"],
        "execution ID failed: ${ input.none }: input has no \"none\" [expression-failed]",
    ),
    (1, &["intent", "validate", "wrong.json"], "the document has errors"),
    (
        2,
        &["run", "say-hello", "--input", "{"],
        "understand --input as JSON: EOF while parsing an object at line 1 column 1",
    ),
    (
        2,
        &["intent", "apply", "bad.json"],
        "understand bad.json as JSON: EOF while parsing a value at line 1 column 9",
    ),
    (2, &["intent", "apply", "missing.json"], "read missing.json: No such file or directory (os error 2)"),
    (
        2,
        &["token", "create", "--user", "eve", "--role", "admin"],
        "name the tenant with --tenant; only platformAdmin has none",
    ),
    (
        2,
        &["token", "create", "--tenant", "t", "--user", "eve", "--role", "king"],
        "\"king\" is not a role; roles are: viewer, author, operator, publisher, admin, sre, platformAdmin",
    ),
    (
        3,
        &["run", "say-hello", "--input", "{\"nam\":\"Ada\"}"],
        "Invalid input: the input does not fit the intent's schema [invalid-input]\n  \
         /input: \"name\" is a required property [input]\n  \
         hint: each entry of errors says where and what would be accepted",
    ),
    (
        3,
        &["intent", "apply", "wrong.json"],
        "Invalid document: the document has 3 errors [invalid-document]\n  \
         /definition/steps/0/nam: \"nam\" is not known here [parameters]; did you mean \"name\"?\n  \
         /definition/steps/0/timout: \"timout\" is not known here [parameters]; did you mean \"timeout\"?\n  \
         /definition/steps/0: \"name\" is a required property [parameters]\n  \
         hint: each finding says where and what would be accepted",
    ),
    (
        3,
        &["tenant", "create", TENANT],
        "Tenant exists: the tenant \"tenant-123\" exists already [tenant-exists]\n  hint: use it, or choose another id",
    ),
    (
        3,
        &["plugin", "install", "bad.json"],
        "Not a plugin for this host: the file is not WebAssembly; name a component that was made with: quantum plugin \
         build [invalid-plugin]\n  hint: build it with quantum plugin build",
    ),
    (
        3,
        &["--token", "abc", "intent", "list"],
        "Malformed token: the token cannot be read: it is not three parts of base64url [token-malformed]\n  \
         hint: send one Authorization header: Bearer and a signed JWT",
    ),
    (4, &["run", "say-hallo"], NOT_FOUND),
    (4, &["execution", "show", "0198c0de-0000-7000-8000-000000000000"], NOT_FOUND),
];

const NOT_FOUND: &str =
    "Not found: there is no such thing, or you may not view it [not-found]\n  hint: list what is there";

#[test]
fn each_kind_of_failure_has_its_exit_code_and_says_what_to_type() {
    let (home, host) = start();
    let document = |name: &str, step: &str| {
        home.file(
            &format!("{name}.json"),
            format!(r#"{{ "name": "{name}", "definition": {{ "steps": [{step}] }} }}"#),
        )
    };
    document("failing", r#"{ "action": "hello", "name": "${ input.none }" }"#);
    document("wrong", r#"{ "action": "hello", "nam": "Ada", "timout": 3 }"#);
    home.file("bad.json", "{ \"name\":");
    home.run(Some(&host), &["intent", "apply", "failing.json"]).ok();
    for (code, arguments, told) in FAILURES {
        let said = home.run(Some(&host), arguments).fails(*code);
        assert_eq!(normal(&said), format!("error: {told}\n"), "{arguments:?}");
    }
    let unknown = home.run(Some(&host), &["inten", "list"]).fails(2);
    assert!(unknown.starts_with("error: unrecognized subcommand 'inten'\n\n  tip: "), "{unknown}");

    let url = host.url.clone();
    let arguments = ["--url", &url, "--tenant", TENANT, "intent", "list"];
    home.run(None, &arguments).ok();
    host.stop();
    let said = home.run(None, &arguments).fails(5);
    let expected = format!("error: reach the host at {url}; is it running? Start one with: quantum serve: ");
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_viewer_is_refused_with_the_reason_and_the_decision() {
    let (home, host) = start();
    let token = home.token(TENANT, "vera", &["viewer"]);
    let mut command = home.quantum();
    command.env("QUANTUM_URL", &host.url).env("QUANTUM_TOKEN", &token).args(["run", "say-hello"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let expected = "error: Forbidden: no policy allows intent.execute for viewer [forbidden]\n  \
                    hint: ask an administrator of the tenant; the decision_id names the decision\n  decision: ID\n";
    assert_eq!(normal(&String::from_utf8(output.stderr).unwrap()), expected);
}

#[test]
fn a_command_without_a_token_or_a_key_says_both() {
    let home = Home::empty();
    let data = home.data();
    let key = format!(
        "there is no key in {0}; start the host once with: quantum serve --data-dir {0}\n",
        data.display()
    );
    let list = home.run(None, &["intent", "list"]).fails(2);
    assert_eq!(list, format!("error: no token given (QUANTUM_TOKEN or --token), and {key}"));
    let token =
        home.run(None, &["token", "create", "--tenant", "t", "--user", "u", "--role", "viewer"]).fails(1);
    assert_eq!(token, format!("error: {key}"));
}

#[test]
fn policies_are_checked_with_their_place() {
    let home = Home::empty();
    let shipped = home.run(None, &["policy", "check"]).ok();
    assert!(shipped.ends_with(" policies in 3 files are fine\n"), "{shipped}");
    fs::create_dir(home.path("policies")).unwrap();
    let policy = "permit (principal, action == Action::\"intent.exec\", resource);\n";
    home.file("policies/site.cedar", policy);
    let ran = home.run(None, &["policy", "check", "policies"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), "error: the policies have 4 findings\n"));
    for told in ["missing-id", "policies/site.cedar:1:30", "unrecognized action", "help: write @id("] {
        assert!(ran.out.contains(told), "{told} in {}", ran.out);
    }
    let json = home.run(None, &["policy", "check", "policies", "--output", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let first = &json["findings"][0];
    let place = (&first["code"], &first["file"], &first["line"]);
    assert_eq!(place, (&json!("missing-id"), &json!("policies/site.cedar"), &json!(1)));

    // Nor does a host start with them.
    let serve = ["serve", "--listen", "127.0.0.1:0", "--policies-dir", "policies"];
    let refused = home.run(None, &serve).fails(1);
    let expected = "error: load the policies:\npolicies/site.cedar:1:1: the policy has no @id (write ";
    assert!(refused.starts_with(expected), "{refused}");
}

#[test]
fn doctor_names_what_is_wrong_and_what_mends_it() {
    let (home, host) = start();
    let fine = home.run(Some(&host), &["doctor"]).ok();
    assert!(fine.lines().all(|line| line.starts_with("ok ")), "{fine}");
    assert_eq!(fine.lines().count(), 8);
    // As a host that was started with the same flags would find it.
    let elsewhere = home.run(Some(&host), &["doctor", "--plugins-dir", "none", "--policies-dir", "none"]);
    assert_eq!(elsewhere.err, "error: 2 of 8 checks found something\n", "{}", elsewhere.out);
    let url = host.url.clone();
    host.stop();
    let stopped = home.run(None, &["doctor", "--url", &url]);
    assert_eq!((stopped.code, stopped.err.as_str()), (Some(1), "error: 1 of 8 checks found something\n"));
    home.file("data/quantum.toml", "[egres]");
    let misspelt = home.run(None, &["doctor", "--output", "json"]);
    let checks: Value = serde_json::from_str(&misspelt.out).unwrap();
    let first = &checks["items"][0];
    assert_eq!((&first["check"], &first["ok"]), (&json!("configuration"), &json!(false)));
    assert!(first["found"].as_str().unwrap().contains("unknown field `egres`"), "{first}");
}

#[test]
fn doctor_says_how_a_data_folder_is_made() {
    let home = Home::empty();
    let ran = home.run(None, &["doctor"]);
    assert_eq!(ran.code, Some(1));
    let data = home.data();
    let data = data.display();
    for line in [
        "ok     configuration    readable".to_owned(),
        format!(
            "WRONG  data folder      {data}: No such file or directory (os error 2); it is made by: quantum serve"
        ),
        format!(
            "WRONG  keys             there is no key in {data}; start the host once with: quantum serve --data-dir {data}"
        ),
        format!("WRONG  database         {data}/quantum.db is not there; it is made by: quantum serve"),
        "ok     policies         fine".to_owned(),
    ] {
        assert!(ran.out.lines().any(|found| found == line), "{line} in {}", ran.out);
    }
}

#[test]
fn usage_says_what_attempts_used() {
    let (home, host) = start();
    assert_eq!(home.run(Some(&host), &["usage"]).ok().lines().count(), 1, "nothing but the titles");
    home.run(Some(&host), &["run", "say-hello", "--input", r#"{"name":"Ada"}"#, "--follow"]).ok();
    let shown = home.run(Some(&host), &["usage", "--by", "action"]).ok();
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..5], ["PLUGIN", "VERSION", "ACTION", "ATTEMPTS", "FAILED"]);
    assert_eq!((lines[1][0], lines[1][2], lines[1][3], lines[1][4]), ("quantum:hello", "hello", "1", "0"));
    let json = home.run(Some(&host), &["usage", "--plugin", "quantum:hello", "--output", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["items"][0]["attempts"], 1);
    assert!(
        json["items"][0]["cpu_us"].as_u64().unwrap() > 0 && json["items"][0].get("cpu_ms").is_none(),
        "{json}"
    );
    let of_each = home.run(Some(&host), &["usage", "--by", "tenant", "--plugin", "quantum:hello"]).ok();
    let lines: Vec<Vec<&str>> = of_each.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines.len(), lines[0][0], &lines[1][..2]), (2, "TENANT", &[TENANT, "1"][..]));
    let none = home.run(Some(&host), &["usage", "--to", "2020-01-31", "--output", "json"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["items"], json!([]));
    let wrong = home.run(Some(&host), &["usage", "--from", "yesterday"]);
    assert!(wrong.err.contains("\"from\" is a day such as 2026-03-31"), "{}", wrong.err);
}
