//! Golden data folders: what each release left behind, as a backup of it. Every later host restores them, reads in them
//! what was recorded then, and ends what was open.
//!
//! `tests/golden/RELEASE/backup` is never changed. A release adds one: docs/releasing.md says how.

mod made;
mod moved;
mod read;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::backup::put_secret;
use crate::client::{Client, send};
use crate::home::{Home, Host, TENANT};

const OTHER: &str = "tenant-456";
const SHIFT: &str = "QUANTUM_REHEARSAL_CLOCK_SHIFT_MS";
/// Of the tests' own issuer: a host whose clock is set to the day of a release takes no token that is made today.
const ISSUER: &str = "[[issuers]]\nsecret_file = \"secret\"";
const ISSUER_SECRET: &[u8] = b"the secret of the tests of golden folders";
/// What golden secrets are encrypted under.
const MASTER_KEY: [u8; 32] = [7; 32];
/// A time that no token outlives: seconds since 1970, in the year 2096.
const FAR_S: u64 = 4_000_000_000;
/// Longer than anything golden waits for.
const WAIT_MS: i64 = 301 * 24 * 60 * 60 * 1_000;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A member of a tenant, at any time.
fn member(host: &Host, tenant: &str, user: &str) -> Client {
    let claims = json!({ "user_id": user, "tenant_id": tenant, "exp": FAR_S });
    let key = EncodingKey::from_secret(ISSUER_SECRET);
    Client::new(&host.url, &encode(&Header::default(), &claims, &key).unwrap())
}

/// The configuration and the master key, in a data folder that is there.
fn equip(home: &Home) {
    fs::create_dir_all(home.path("plugins")).unwrap();
    home.file("secret", ISSUER_SECRET);
    home.configure(ISSUER);
    fs::create_dir_all(home.data().join("keys")).unwrap();
    let key = home.data().join("keys/master.key");
    let mut file =
        fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(key).unwrap();
    file.write_all(&MASTER_KEY).unwrap();
}

/// Milliseconds by which the clock of a host is to be ahead, so that it shows that time.
fn shift(to: &Value, later_ms: i64) -> String {
    let to = quantum_core::time::Timestamp::parse(to.as_str().unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the host that is told shifts the machine's clock")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    (to.as_millis() - now + later_ms).to_string()
}

/// When a golden folder was made.
fn taken_at(release: &Path) -> Value {
    let text = fs::read_to_string(release.join("backup/backup.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["taken_at"].clone()
}

/// A data folder of the release, and a host on it whose clock shows the day of the release.
fn open(release: &Path) -> (Home, Host) {
    let mut home = Home::empty();
    let (backup, data) = (release.join("backup"), home.data());
    home.run(None, &["restore", backup.to_str().unwrap(), "--data-dir", data.to_str().unwrap()]).ok();
    equip(&home);
    home.set(SHIFT, &shift(&taken_at(release), 0));
    let host = home.start();
    (home, host)
}

fn releases() -> Vec<PathBuf> {
    let mut releases: Vec<_> = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path()).collect();
    releases.sort();
    assert!(!releases.is_empty(), "there is a golden folder of each release");
    releases
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_release_left_is_read_as_it_was_then() {
    for release in releases() {
        let (_home, host) = open(&release);
        assert_as_then(&host, &release).await;
    }
}

/// All answers are those that were recorded, beside what a later release says more.
async fn assert_as_then(host: &Host, release: &Path) {
    let expected = fs::read_to_string(release.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for (tenant, user) in [(TENANT, "ada"), (OTHER, "carl")] {
        let found = read::everything(&member(host, tenant, user)).await;
        let expected = expected[tenant].as_object().unwrap();
        for (path, answer) in expected {
            let as_then = found.get(path).is_some_and(|found| says(found, answer));
            assert!(
                as_then,
                "{path} of {tenant} in {}: {:?} is not {answer}",
                release.display(),
                found.get(path)
            );
        }
        assert_eq!(found.len(), expected.len(), "nothing is there that was not there then");
    }
}

/// Every member that there was has its value; a later release may have added others.
fn says(found: &Value, then: &Value) -> bool {
    match (found, then) {
        (Value::Object(found), Value::Object(then)) => {
            then.iter().all(|(name, then)| found.get(name).is_some_and(|found| says(found, then)))
        }
        (Value::Array(found), Value::Array(then)) => {
            found.len() == then.len() && found.iter().zip(then).all(|(found, then)| says(found, then))
        }
        _ => found == then,
    }
}

/// The only open execution of an intent.
async fn open_one(client: &Client, intent: &str) -> String {
    let list = client.get(&format!("/api/v1/executions?intent={intent}&limit=200")).await.is(200).json();
    let ended = |item: &&Value| !item["ended_at"].is_null();
    let open: Vec<&Value> = list["items"].as_array().unwrap().iter().filter(|item| !ended(item)).collect();
    assert_eq!(open.len(), 1, "{intent}: {list}");
    open[0]["execution_id"].as_str().unwrap().to_owned()
}

async fn tell(client: &Client, execution: &str, what: &str, body: Value) -> Value {
    let path = format!("/api/v1/executions/{execution}/{what}");
    let answer = client.post(&path, &body).await;
    assert!(matches!(answer.status, 200 | 202), "{what}: {}", answer.text);
    answer.json()
}

async fn succeeds(client: &Client, execution: &str) {
    let last = client.events(execution).await.pop().unwrap();
    assert_eq!(last["type"], "execution_completed", "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_release_left_open_goes_on_to_its_end() {
    for release in releases() {
        let (mut home, host) = open(&release);
        let (ada, bob) = (member(&host, TENANT, "ada"), member(&host, TENANT, "bob"));
        // A secret of then is opened by a component of then.
        assert_eq!(ada.run("opens", &json!({})).await["status"], "succeeded");

        let asks = open_one(&ada, "asks").await;
        tell(&ada, &asks, "signals/answer", json!("yes")).await;
        succeeds(&ada, &asks).await;
        let approves = open_one(&ada, "approves").await;
        tell(&bob, &approves, "approve", json!({ "step": "ask" })).await;
        succeeds(&ada, &approves).await;
        let paused = open_one(&ada, "pauses").await;
        tell(&ada, &paused, "resume", json!({})).await;
        tell(&ada, &paused, "signals/answer", json!("yes")).await;
        succeeds(&ada, &paused).await;
        let parks = open_one(&ada, "parks").await;
        put_secret(&ada, "test").await;
        tell(&ada, &parks, "restart", json!({})).await;
        succeeds(&ada, &parks).await;
        let each = open_one(&ada, "each").await;
        for element in 2..=3 {
            ada.until(&each, "step_waiting", element).await;
            tell(&ada, &each, "signals/next", json!(element)).await;
        }
        succeeds(&ada, &each).await;
        let parent = open_one(&ada, "parent").await;
        let child = open_one(&ada, "child").await;
        tell(&ada, &child, "signals/answer", json!("yes")).await;
        succeeds(&ada, &child).await;
        succeeds(&ada, &parent).await;
        let resumed = ada.post("/api/v1/schedules/yearly/resume", &json!({})).await.is(200).json();
        assert!(resumed["next"].is_object() || resumed["next"].is_string(), "{resumed}");
        let pause = ada.request(Method::POST, "/api/v1/schedules/yearly/pause");
        send(pause).await.is(200);

        let waits = open_one(&ada, "waits").await;
        host.stop();
        home.set(SHIFT, &shift(&taken_at(&release), WAIT_MS));
        let host = home.start();
        succeeds(&ada.at(&host.url), &waits).await;
    }
}
