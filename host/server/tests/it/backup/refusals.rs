//! What is written over nothing, left incomplete under no final name, and read by nobody else.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};

use super::saved::{Saved, listed, modes};
use crate::home::{Home, poll_again};

/// Bytes of a file that is saved for longer than a kill takes. It is sparse.
const LARGE_BYTES: u64 = 4 << 30;
/// Looks at the folder until the backup counts as hung: a minute.
const POLLS_MAX: u32 = 12_000;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_over_and_each_refusal_says_what_to_choose() {
    let saved = Saved::start().await;
    saved.backup("backup", &[]).ok();
    let there = "error: backup is there already; choose a destination that is not there\n";
    assert_eq!(saved.backup("backup", &[]).fails(2), there);
    let data = saved.home.data();
    let inside = saved.backup("data/backup", &[]).fails(2);
    assert_eq!(inside, "error: data/backup lies in the data folder; choose a destination outside of it\n");
    let full = saved.restore("backup", "data").fails(2);
    let told = "has files in it, and nothing is written over; choose a folder that is empty or not there";
    assert_eq!(full, format!("error: data {told}\n"));
    let no_host = saved.home.run(None, &["backup", "other", "--data-dir", "backup/keys"]).fails(2);
    assert_eq!(
        no_host,
        "error: backup/keys has no database; name the data folder of a host with --data-dir\n"
    );
    let no_backup = saved.restore("nowhere", "restored").fails(1);
    assert!(no_backup.starts_with("error: nowhere is not a complete backup: "), "{no_backup}");
    let no_parent = saved.backup("nowhere/backup", &[]).fails(1);
    assert!(no_parent.starts_with("error: open the folder nowhere: "), "{no_parent}");
    // An empty folder is as good as none.
    fs::create_dir(saved.home.path("restored")).unwrap();
    let told = saved.restore("backup", "restored").ok();
    assert!(told.ends_with("next: quantum serve --data-dir restored\n"), "{told}");
    assert!(data.join("quantum.db").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_is_not_taken_for_a_whole_one() {
    let saved = Saved::start().await;
    let large = saved.home.data().join("archive/large");
    File::create(&large).unwrap().set_len(LARGE_BYTES).unwrap();
    let partial = saved.home.path("backup.partial");
    let mut command = saved.home.quantum();
    let mut killed = command.args(["backup", "backup"]).stdout(Stdio::null()).spawn().unwrap();
    let began = (0..POLLS_MAX).any(|_| {
        let there = partial.join("archive/large").exists();
        if !there {
            poll_again();
        }
        there
    });
    let busy = saved.backup("backup", &[]).fails(1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(began, "the backup began");
    assert_eq!(busy, "error: another backup or restore writes backup.partial; wait for its end\n");
    assert!(!saved.home.path("backup").exists(), "it was killed in the middle");
    for name in ["backup", "backup.partial"] {
        let told = saved.restore(name, "restored").fails(1);
        assert!(told.starts_with(&format!("error: {name} is not a complete backup: ")), "{told}");
        assert!(!saved.home.path("restored").exists());
    }
    fs::remove_file(large).unwrap();
    saved.backup("backup", &[]).ok();
    assert!(!partial.exists(), "the next one clears away what it finds");
    saved.restore("backup", "restored").ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_their_owners_alone_and_what_is_made_anew_is_not_saved() {
    let saved = Saved::start().await;
    fs::write(saved.home.data().join("notes.txt"), "of the operator").unwrap();
    let told = saved.backup("backup", &[]).ok();
    assert!(told.ends_with("left out, for they are none of the host's: notes.txt\n"), "{told}");
    saved.restore("backup", "restored").ok();
    for name in ["backup", "restored"] {
        let root = saved.home.path(name);
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        for (path, is_folder, mode) in modes(&root) {
            assert_eq!(mode, if is_folder { 0o700 } else { 0o600 }, "{}", path.display());
        }
    }
    let files = listed(&saved.home.path("backup"));
    let known = ["quantum.db", "quantum.toml", "keys/", "blobs/sha256/", "artifacts/sha256/", "archive/"];
    let unknown: Vec<_> = files.iter().filter(|file| !known.iter().any(|k| file.starts_with(k))).collect();
    assert_eq!(unknown, Vec::<&String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_keys_says_which_ones_belong_where() {
    let saved = Saved::start().await;
    saved.backup("backup", &["--without-keys"]).ok();
    assert!(!saved.home.path("backup/keys").exists());
    let restored = Home::empty();
    let (backup, data) = (saved.home.path("backup"), restored.data());
    let arguments = ["restore", backup.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let told = restored.run(None, &arguments).ok();
    for key in ["token", "host", "master"] {
        let line = format!(
            "first put keys/{key}.key of the saved host to {0}/keys/{key}.key (mode 600): ",
            data.display()
        );
        assert!(told.contains(&line), "{line} in {told}");
    }
    // Another master key opens nothing, and the host says so.
    let refused = restored.start_fails().fails(1);
    assert!(refused.contains("master key"), "{refused}");
    for key in ["token", "host", "master"] {
        let key = format!("keys/{key}.key");
        fs::copy(saved.home.data().join(&key), data.join(&key)).unwrap();
    }
    let host = restored.start();
    let opened = saved.client.at(&host.url).run("opens", &json!({})).await;
    assert_eq!(opened["status"], "succeeded", "{opened}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_newer_program_is_refused_with_the_program_that_reads_it() {
    let saved = Saved::start().await;
    saved.backup("backup", &[]).ok();
    let path = saved.home.path("backup/backup.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["schema"] = json!(1_000);
    manifest["quantum"] = json!("0.9.0");
    let text = manifest.to_string();
    fs::write(&path, &text).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(saved.home.path("backup/backup.json.sha256"), format!("{hex}  backup.json\n")).unwrap();
    let told = saved.restore("backup", "restored").fails(1);
    assert!(told.starts_with("error: the backup has schema 1000, and this program knows up to "), "{told}");
    assert!(told.ends_with("; restore it with quantum 0.9.0 or newer\n"), "{told}");
    assert!(!saved.home.path("restored").exists());
}
