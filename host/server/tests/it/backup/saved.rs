//! A host with something of everything that a data folder holds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, send};
use crate::guests::{guest_of, manifest, pack};
use crate::home::{Home, Host, Ran, TENANT};

/// The value of the secret KEY.
pub const SECRET: &str = "s3cret";
/// The content of the artifact app.
pub const ARTIFACT: &str = "an artifact";
/// A file of an execution that was put away.
pub const ARCHIVED: &str = "archive/tenant-123/one";

pub struct Saved {
    pub home: Home,
    /// None: it was ended.
    pub host: Option<Host>,
    pub client: Client,
}

/// A component that gets the secret KEY and says `"done"`, or traps.
pub fn opener() -> Vec<u8> {
    let imports = r#"(import "quantum:secrets/reveal@1.0.0" "reveal" (func $reveal (param i32 i32 i32)))
        (data (i32.const 1056) "KEY")"#;
    let run = "(call $reveal (i32.const 1056) (i32.const 3) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (if (i32.ne (i32.load (i32.const 4104)) (i32.const 6)) (then (unreachable)))
        (call $ok (i32.const 1040) (i32.const 6))";
    let mut says = manifest("opener");
    says["capabilities"] = json!({ "reveal": ["KEY"] });
    says["actions"][0]["idempotent"] = json!(true);
    let world = "package test:guest; world guest {
        import quantum:secrets/reveal@1.0.0; export quantum:plugin/actions@1.0.0; }";
    pack(&guest_of(world, imports, run), &says)
}

/// Stores the secret KEY for an environment.
pub async fn put_secret(client: &Client, environment: &str) {
    let body = json!({ "value": SECRET, "environments": [environment], "hosts": [], "reveal_only": true });
    send(client.request(Method::PUT, "/api/v1/secrets/KEY").json(&body)).await.is(200);
}

impl Saved {
    pub async fn start() -> Self {
        let home = Home::new("");
        fs::create_dir_all(home.data().join(ARCHIVED).parent().unwrap()).unwrap();
        fs::write(home.data().join(ARCHIVED), "an execution that ended").unwrap();
        let host = home.start();
        home.create_tenant(&host, TENANT);
        let client = home.admin(&host);
        client.upload("", opener()).await.is(201);
        put_secret(&client, "development").await;
        home.file("app", ARTIFACT);
        home.run(Some(&host), &["artifact", "put", "app", "app"]).ok();
        let greets = json!({ "id": "a", "action": "hello", "name": "${ input.name }" });
        let greets_again = json!({ "id": "b", "action": "hello", "name": "${ steps.a.output.text }" });
        client.intent("greets", json!({ "steps": [greets, greets_again] })).await;
        client.intent("opens", json!({ "steps": [{ "action": "opener" }] })).await;
        let asks = json!({ "id": "ask", "action": "core/signal", "name": "answer" });
        client.intent("asks", json!({ "steps": [asks], "output": "${ steps.ask.output }" })).await;
        Self { home, host: Some(host), client }
    }

    /// `quantum backup` to this name beside the data folder.
    pub fn backup(&self, name: &str, more: &[&str]) -> Ran {
        self.home.run(None, &[&["backup", name][..], more].concat())
    }

    /// `quantum restore` of that name into another one.
    pub fn restore(&self, name: &str, data_dir: &str) -> Ran {
        self.home.run(None, &["restore", name, "--data-dir", data_dir])
    }
}

/// The files of a backup, as its manifest lists them.
pub fn listed(backup: &Path) -> Vec<String> {
    let text = fs::read_to_string(backup.join("backup.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

/// Every file and folder below, with its mode.
pub fn modes(root: &Path) -> Vec<(PathBuf, bool, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::metadata(&path).unwrap();
        found.push((path.clone(), about.is_dir(), about.permissions().mode() & 0o777));
        if about.is_dir() {
            found.extend(modes(&path));
        }
    }
    found
}
