//! Hosts whose components and artifacts lie in a bucket: what one node stored is there for the others, a backup has it,
//! and a bucket that cannot be used is told.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use quantum_testing::{Postgres, or_skip};
use quantum_testing_bucket::{ACCESS_KEY, BUCKET, ObjectStore, SECRET_KEY};
use serde_json::{Value, json};

use crate::backup::{opener, put_secret};
use crate::client::Client;
use crate::home::{Home, Host, TENANT};

const ARTIFACT: &str = "an artifact in a bucket";

/// With a bucket below this prefix, and no plugins.
fn home(store: &ObjectStore, prefix: &str) -> Home {
    let mut home = Home::with_plugins(&[], "");
    use_bucket(&mut home, store, prefix);
    home
}

fn use_bucket(home: &mut Home, store: &ObjectStore, prefix: &str) {
    home.set("QUANTUM_BLOBS", &format!("s3://{BUCKET}/{prefix}"));
    home.set("AWS_ENDPOINT_URL", &store.endpoint());
    home.set("AWS_ACCESS_KEY_ID", ACCESS_KEY);
    home.set("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
}

/// Installs a plugin, and stores what it needs.
async fn fill(home: &Home, host: &Host) -> Client {
    home.create_tenant(host, TENANT);
    let client = home.admin(host);
    client.upload("", opener()).await.is(201);
    put_secret(&client, "development").await;
    client.intent("opens", json!({ "steps": [{ "action": "opener" }] })).await;
    put_artifact(home, host, "app");
    client
}

fn put_artifact(home: &Home, host: &Host, name: &str) {
    home.file("app", ARTIFACT);
    home.run(Some(host), &["--tenant", TENANT, "artifact", "put", name, "app"]).ok();
}

fn artifact(home: &Home, host: &Host, name: &str) -> String {
    home.run(Some(host), &["--tenant", TENANT, "artifact", "get", name]).ok()
}

#[track_caller]
fn assert_no_blobs(home: &Home) {
    for folder in ["blobs/sha256", "artifacts/sha256"] {
        assert!(!home.data().join(folder).exists(), "{folder}");
    }
}

fn copy_keys(from: &Path, to: &Path) {
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_without_a_shared_file_system_have_the_same_plugins_and_artifacts() {
    let Some(server) = or_skip(Postgres::shared()) else { return };
    let (database, store) = (server.database(), ObjectStore::start());
    let (mut first, mut second) = (home(&store, "nodes"), home(&store, "nodes"));
    first.run(None, &["store", "prepare", "--owner", &database.url()]).ok();
    for (home, node) in [(&mut first, "one"), (&mut second, "two")] {
        home.set("QUANTUM_STORE", &server.url(database.name(), "quantum"));
        home.set("QUANTUM_NODE", node);
    }
    let one = first.start();
    let client = fill(&first, &one).await;
    copy_keys(&first.data().join("keys"), &second.data().join("keys"));
    let two = second.start();
    let ran = client.at(&two.url).run("opens", &json!({})).await;
    assert_eq!(ran["status"], "succeeded", "{ran}");
    assert_eq!(artifact(&second, &two, "app"), ARTIFACT);
    put_artifact(&second, &two, "another");
    assert_eq!(artifact(&first, &one, "another"), ARTIFACT);
    assert_no_blobs(&first);
    assert_no_blobs(&second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_what_lies_in_the_bucket_and_is_restored_to_another() {
    let store = ObjectStore::start();
    let saved = home(&store, "saved");
    let host = saved.start();
    let client = fill(&saved, &host).await;
    fs::create_dir_all(store.file("saved/archive/tenant-123")).unwrap();
    fs::write(store.file("saved/archive/tenant-123/one"), "an execution that ended").unwrap();
    saved.run(None, &["backup", "backup"]).ok();
    for folder in ["blobs/sha256", "artifacts/sha256"] {
        assert!(saved.path("backup").join(folder).is_dir(), "{folder}");
    }
    host.stop();

    let mut restored = Home::empty();
    use_bucket(&mut restored, &store, "restored");
    let (backup, data) = (saved.path("backup"), restored.data());
    let arguments = ["restore", backup.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let told = restored.run(None, &arguments).ok();
    assert!(told.contains(&format!("--blobs s3://{BUCKET}/restored")), "{told}");
    // What was saved is not needed any more.
    fs::remove_dir_all(store.file("saved")).unwrap();
    let host = restored.start();
    assert_eq!(artifact(&restored, &host, "app"), ARTIFACT);
    let ran = client.at(&host.url).run("opens", &json!({})).await;
    assert_eq!(ran["status"], "succeeded", "{ran}");
    let archived = fs::read(store.file("restored/archive/tenant-123/one")).unwrap();
    assert_eq!(archived, b"an execution that ended");
    assert_no_blobs(&restored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_cannot_be_used_is_told_at_the_start_and_by_the_doctor() {
    let store = ObjectStore::start();
    let mut home = home(&store, "x");
    let host = home.start();
    let looks_at_blobs = |home: &Home| -> Value {
        let told = home.run(Some(&host), &["--output", "json", "doctor"]).out;
        let told: Value = serde_json::from_str(&told).unwrap();
        told["items"].as_array().unwrap().iter().find(|item| item["check"] == "blobs").unwrap().clone()
    };
    let found = looks_at_blobs(&home);
    assert_eq!(found["ok"], true, "{found}");
    store.deny_writes(true);
    let found = looks_at_blobs(&home);
    assert!(found["found"].as_str().unwrap().contains("s3:PutObject"), "{found}");
    store.deny_writes(false);
    host.stop();

    home.set("QUANTUM_BLOBS", "s3://nobody-has-it");
    let told = home.start_fails().fails(1);
    assert!(told.contains("there is no such bucket") && told.contains("s3://nobody-has-it"), "{told}");
    home.set("QUANTUM_BLOBS", &format!("s3://{BUCKET}"));
    home.set("AWS_SECRET_ACCESS_KEY", "wrong");
    let told = home.start_fails().fails(1);
    assert!(told.contains("refuses the credentials") && !told.contains("wrong"), "{told}");
    home.set("QUANTUM_BLOBS", "/srv/blobs");
    let told = home.start_fails().fails(1);
    assert!(told.contains("s3://BUCKET/PREFIX"), "{told}");
}
