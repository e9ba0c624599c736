//! A backup that is not what was saved is refused by the name of the file, and leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};

use super::saved::{ARCHIVED, ARTIFACT, Saved, listed, modes, opener};

/// The backup cannot be restored, and is told why; nothing is there afterwards.
#[track_caller]
fn refused(saved: &Saved, told: &str) {
    let said = saved.restore("backup", "restored").fails(1);
    assert_eq!(said, format!("error: {told}\n"));
    for name in ["restored", "restored.partial"] {
        assert!(!saved.home.path(name).exists(), "{name} is left behind");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cut_or_missing_file_of_every_kind_is_refused_by_name() {
    let saved = Saved::start().await;
    saved.backup("backup", &[]).ok();
    let backup = saved.home.path("backup");
    let files = listed(&backup);
    for kind in ["quantum.db", "quantum.toml", "keys/", "blobs/", "artifacts/", ARCHIVED] {
        assert!(files.iter().any(|file| file.starts_with(kind)), "{kind} is in {files:?}");
    }
    for file in &files {
        let path = backup.join(file);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        let damaged = |what: &str| format!("the backup is damaged: {file} {what}; take another backup");
        refused(&saved, &damaged("has other bytes than those that were saved"));
        let (cut, all) = (whole.len() - 1, whole.len());
        fs::write(&path, &whole[..cut]).unwrap();
        refused(&saved, &damaged(&format!("has {cut} bytes and not the {all} that were saved")));
        fs::remove_file(&path).unwrap();
        refused(&saved, &damaged("is missing"));
        fs::write(&path, whole).unwrap();
    }
    saved.restore("backup", "restored").ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_files_that_was_changed_is_refused() {
    let saved = Saved::start().await;
    saved.backup("backup", &[]).ok();
    let told = "the backup is damaged: backup.json does not have the digest that backup.json.sha256 says; take another backup";
    for file in ["backup.json", "backup.json.sha256"] {
        let path = saved.home.path("backup").join(file);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        refused(&saved, told);
        fs::write(&path, whole).unwrap();
    }
    fs::remove_file(saved.home.path("backup/backup.json")).unwrap();
    let told =
        "backup is not a complete backup: it has no backup.json; a backup that was broken off is made again";
    refused(&saved, told);
}

/// The file below with this content.
fn file_of(folder: &Path, content: &[u8]) -> PathBuf {
    let files = modes(folder).into_iter().filter(|(_, is_folder, _)| !is_folder);
    let mut files = files.map(|(path, ..)| path);
    files.find(|path| fs::read(path).unwrap() == content).expect("a file with the content")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_the_database_names_and_the_folder_lacks_fails_the_backup() {
    let saved = Saved::start().await;
    for (folder, content) in [("blobs", opener()), ("artifacts", ARTIFACT.into())] {
        let path = file_of(&saved.home.data().join(folder), &content);
        let name = path.strip_prefix(saved.home.data()).unwrap().display().to_string();
        let told = format!(
            "error: 1 files that the database names are missing or damaged in the data folder, the first is {name}; \
             put it back from an earlier backup, then make this one again\n"
        );
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[1..]).unwrap();
        assert_eq!(saved.backup("backup", &[]).fails(1), told);
        fs::remove_file(&path).unwrap();
        assert_eq!(saved.backup("backup", &[]).fails(1), told);
        for name in ["backup", "backup.partial"] {
            assert!(!saved.home.path(name).exists(), "{name} is left behind");
        }
        fs::write(&path, whole).unwrap();
    }
    saved.backup("backup", &[]).ok();
}
