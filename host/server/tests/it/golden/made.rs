//! How a golden folder is made: a host of the release, something of everything, ended and open.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use super::{MASTER_KEY, OTHER, equip, golden, member, open, read, tell};
use crate::backup::{opener, put_secret};
use crate::client::{Client, send};
use crate::home::{Home, Host, TENANT};

/// A step that waits for the signal `answer`.
fn asks() -> Value {
    json!({ "id": "ask", "action": "core/signal", "name": "answer" })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the golden folder of a release, once: see docs/releasing.md"]
async fn make_the_golden_folder_of_this_release() {
    let release = std::env::var("QUANTUM_GOLDEN_RELEASE").expect("QUANTUM_GOLDEN_RELEASE is for example 0.1");
    let release = golden().join(release);
    assert!(!release.exists(), "{} is there; a golden folder is never changed", release.display());
    let home = Home::with_plugins(&[], "");
    equip(&home);
    let host = home.start();
    fill(&home, &host).await;
    host.stop();
    // It says where files of this machine are.
    fs::remove_file(home.data().join("quantum.toml")).unwrap();
    fs::create_dir_all(&release).unwrap();
    let backup = release.join("backup");
    home.run(None, &["backup", backup.to_str().unwrap(), "--without-keys"]).ok();
    let (_home, host) = open(&release);
    let first = read::everything(&member(&host, TENANT, "ada")).await;
    let second = read::everything(&member(&host, OTHER, "carl")).await;
    let expected = serde_json::to_string_pretty(&json!({ TENANT: first, OTHER: second })).unwrap();
    fs::write(release.join("expected.json"), expected + "\n").unwrap();
    assert_eq!(fs::read(home.data().join("keys/master.key")).unwrap(), MASTER_KEY);
}

async fn fill(home: &Home, host: &Host) {
    home.create_tenant(host, TENANT);
    home.create_tenant(host, OTHER);
    let ada = home.admin(host);
    let bob = ada.request(Method::PUT, "/api/v1/users/bob");
    send(bob.json(&json!({ "roles": ["operator"] }))).await.is(200);
    configure(home, host, &ada).await;
    intents(&ada).await;
    ended(&ada).await;
    left_open(&ada).await;

    let carl = Client::new(&host.url, &home.token(OTHER, "carl", &["admin"]));
    carl.intent("asks", json!({ "steps": [asks()] })).await;
    let answered = carl.execute("asks", &json!({})).await;
    carl.until(&answered, "step_waiting", 1).await;
    tell(&carl, &answered, "signals/answer", json!("yes")).await;
    carl.until(&answered, "execution_completed", 1).await;
    let waiting = carl.execute("asks", &json!({})).await;
    carl.until(&waiting, "step_waiting", 1).await;
}

/// What is neither an intent nor an execution.
async fn configure(home: &Home, host: &Host, ada: &Client) {
    ada.upload("", opener()).await.is(201);
    put_secret(ada, "development").await;
    let settings = json!({ "targets": { "prod-eu": "production" }, "limits": { "weight": 2 } });
    let put = ada.request(Method::PUT, "/api/v1/settings").header("If-Match", "\"0\"");
    send(put.json(&settings)).await.is(200);
    let blueprint = json!({ "name": "standard", "description": "Opens what is closed",
        "steps": [{ "id": "open", "action": "opener" }] });
    home.file("standard.json", blueprint.to_string());
    home.run(Some(host), &["--tenant", TENANT, "blueprint", "apply", "standard.json"]).ok();
    home.file("app", "an artifact");
    home.run(Some(host), &["--tenant", TENANT, "artifact", "put", "app", "app"]).ok();
}

async fn intents(ada: &Client) {
    let opener = |more: Value| {
        let mut step = json!({ "id": "open", "action": "opener" });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let undone = opener(json!({ "compensate": { "action": "opener" } }));
    let fail = json!({ "action": "core/fail", "message": "as it was meant to" });
    let parked = opener(json!({ "on_exhausted": "park", "retry": { "max_attempts": 1 } }));
    let each = json!({ "id": "each", "action": "core/signal", "name": "next",
        "for_each": { "in": "input.items", "max_parallel": 1 } });
    let child = json!({ "id": "call", "action": "core/execute-intent", "intent": "child" });
    let all = [
        ("opens", json!({ "steps": [opener(json!({}))] })),
        ("undoes", json!({ "steps": [undone, fail] })),
        ("asks", json!({ "steps": [asks()], "output": "${ steps.ask.output }" })),
        (
            "approves",
            json!({ "steps": [{ "id": "ask", "action": "core/approve", "message": "May it go?" }] }),
        ),
        ("waits", json!({ "steps": [{ "id": "wait", "action": "core/wait", "duration": "300d" }] })),
        ("parks", json!({ "target": "test", "steps": [parked] })),
        ("pauses", json!({ "steps": [asks()] })),
        ("each", json!({ "steps": [each] })),
        ("child", json!({ "steps": [asks()] })),
        ("parent", json!({ "steps": [child] })),
    ];
    for (name, definition) in all {
        ada.intent(name, definition).await;
    }
    let yearly = json!({ "name": "yearly", "intent": "opens", "cron": "30 2 1 1 *",
        "time_zone": "Europe/Berlin", "paused": true });
    ada.post("/api/v1/schedules", &yearly).await.is(201);
}

/// One execution of each end.
async fn ended(ada: &Client) {
    let succeeded = ada.run("opens", &json!({})).await;
    assert_eq!(succeeded["status"], "succeeded", "{succeeded}");
    let failed = ada.run("undoes", &json!({})).await;
    assert_eq!((&failed["status"], &failed["steps"][0]["status"]), (&json!("failed"), &json!("compensated")));
    let cancelled = ada.execute("asks", &json!({})).await;
    ada.until(&cancelled, "step_waiting", 1).await;
    tell(ada, &cancelled, "cancel", json!({ "reason": "the wrong one" })).await;
    ada.until(&cancelled, "execution_cancelled", 1).await;
}

/// One execution of each thing that is waited for. That of `asks` runs a version that is not the newest any more.
async fn left_open(ada: &Client) {
    for name in ["asks", "approves", "waits", "pauses", "parent"] {
        let execution = ada.execute(name, &json!({})).await;
        ada.until(&execution, "step_waiting", 1).await;
        if name == "pauses" {
            tell(ada, &execution, "pause", json!({ "reason": "lunch" })).await;
        }
    }
    let child = super::open_one(ada, "child").await;
    ada.until(&child, "step_waiting", 1).await;
    let parked = ada.execute("parks", &json!({})).await;
    ada.until(&parked, "execution_parked", 1).await;
    let each = ada.execute("each", &json!({ "items": [1, 2, 3] })).await;
    ada.until(&each, "step_waiting", 1).await;
    tell(ada, &each, "signals/next", json!(1)).await;
    ada.until(&each, "step_waiting", 2).await;
    let changed = json!({ "name": "asks", "description": "the second one",
        "definition": { "steps": [asks()], "output": "${ steps.ask.output }" } });
    let put = ada.request(Method::PUT, "/api/v1/intents/asks").header("If-Match", "*");
    send(put.json(&changed)).await.is(200);
}
