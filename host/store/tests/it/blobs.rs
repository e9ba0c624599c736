//! Blobs in a folder: complete or absent, and verified when read. What holds in a bucket as well is in `kept`.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use quantum_store::Blobs;
use tokio::task::JoinHandle;

use crate::folder;
use crate::kept::{AT, read_to_end, written};

#[tokio::test]
async fn a_blob_is_read_as_it_was_written_and_writing_it_again_changes_nothing() {
    let folder = folder();
    let blobs = Blobs::open(folder.path()).unwrap();
    let (first, again) = tokio::join!(blobs.put(b"component".to_vec()), blobs.put(b"component".to_vec()));
    let digest = first.unwrap();
    assert_eq!(again.unwrap(), digest);
    assert_eq!(digest, Blobs::digest(b"component"));
    assert_eq!(blobs.get(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
    assert_eq!(blobs.read(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
    assert_eq!(blobs.get(&Blobs::digest(b"other")).await.unwrap(), None);
    let hex = digest.as_str().trim_start_matches("sha256:");
    let place = folder.path().join("blobs/sha256").join(&hex[..2]);
    let files: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, [&hex[2..]], "nothing is left beside it");
}

#[tokio::test]
async fn a_damaged_blob_is_refused_and_mended_by_writing_it_again() {
    let folder = folder();
    let blobs = Blobs::open(folder.path()).unwrap();
    let digest = blobs.put(b"component".to_vec()).await.unwrap();
    let hex = digest.as_str().trim_start_matches("sha256:");
    let place = folder.path().join("blobs/sha256").join(&hex[..2]).join(&hex[2..]);
    std::fs::write(&place, b"compoment").unwrap();
    let error = blobs.read(&digest).await.unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
    blobs.put(b"component".to_vec()).await.unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn place(folder: &tempfile::TempDir, digest: &Digest) -> std::path::PathBuf {
    let hex = digest.as_str().trim_start_matches("sha256:");
    folder.path().join("artifacts/sha256").join(&hex[..2]).join(&hex[2..])
}

fn drafts(folder: &tempfile::TempDir) -> usize {
    std::fs::read_dir(folder.path().join("artifacts/drafts")).unwrap().count()
}

/// As a killed process leaves it: nobody takes it away.
async fn abandoned(blobs: &Blobs) {
    let mut writer = blobs.create().await.unwrap();
    writer.write(b"half".to_vec()).await.unwrap();
    std::mem::forget(writer);
}

/// Makes every draft one that was last written to so long before now.
fn age_drafts(folder: &tempfile::TempDir, age: Duration) {
    for entry in std::fs::read_dir(folder.path().join("artifacts/drafts")).unwrap() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(file.metadata().unwrap().modified().unwrap() - age).unwrap();
    }
}

#[tokio::test]
async fn what_a_process_that_is_gone_for_a_day_left_unfinished_is_removed_at_the_next_start() {
    let folder = folder();
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let whole = written(&blobs, &[b"whole"]).await;
    abandoned(&blobs).await;
    age_drafts(&folder, DAY);
    abandoned(&blobs).await;
    assert_eq!(drafts(&folder), 2);
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    assert_eq!(drafts(&folder), 1, "the younger one may be of a process that lives");
    age_drafts(&folder, DAY - Duration::from_secs(60));
    Blobs::open_artifacts(folder.path()).unwrap();
    assert_eq!(drafts(&folder), 1);
    assert!(blobs.verify(&whole).await.unwrap());
    assert!(!blobs.verify(&Blobs::digest(b"half")).await.unwrap());
}

#[tokio::test]
async fn a_node_that_starts_leaves_what_others_are_writing() {
    let folder = folder();
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let mut writer = blobs.create().await.unwrap();
    writer.write(b"one ".to_vec()).await.unwrap();
    let other = Blobs::open_artifacts(folder.path()).unwrap();
    writer.write(b"blob".to_vec()).await.unwrap();
    let (digest, _) = writer.finish(AT).await.unwrap();
    assert_eq!(read_to_end(&other, &digest, 0, 100).await, b"one blob");
    assert_eq!(drafts(&folder), 0);
}

#[tokio::test]
async fn writing_what_is_there_makes_it_young() {
    let folder = folder();
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let digest = written(&blobs, &[b"artifact"]).await;
    blobs.put(b"artifact".to_vec()).await.unwrap();
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(1)).await.unwrap(), None);
    assert!(blobs.verify(&digest).await.unwrap());
}

/// Until somebody waits for the lock, as the system says it. Whoever should wait and has gone on fails the test.
async fn until_awaited<T>(lock: &File, waits: &JoinHandle<T>) {
    let node = format!(":{} ", lock.metadata().unwrap().ino());
    loop {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        if locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&node)) {
            return;
        }
        assert!(!waits.is_finished(), "it did not wait for the lock");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_one_node_has_just_written_is_not_removed_by_another_that_saw_it_old() {
    let folder = folder();
    let (writes, collects) =
        (Blobs::open_artifacts(folder.path()).unwrap(), Blobs::open_artifacts(folder.path()).unwrap());
    let lock = File::options().write(true).open(folder.path().join("artifacts/lock")).unwrap();
    let digest = written(&writes, &[b"artifact"]).await;
    // A node gives the content its place again while another one wants to remove it.
    lock.lock_shared().unwrap();
    let (collector, old) = (collects.clone(), digest.clone());
    let removes = tokio::spawn(async move { collector.remove_older(&old, AT.plus_millis(5)).await });
    until_awaited(&lock, &removes).await;
    let mut again = writes.create().await.unwrap();
    again.write(b"artifact".to_vec()).await.unwrap();
    again.finish(AT.plus_millis(10)).await.unwrap();
    lock.unlock().unwrap();
    assert_eq!(removes.await.unwrap().unwrap(), None, "it looks at the time once nobody writes");
    // A node removes it while another one wants to give the content its place.
    lock.lock().unwrap();
    let mut again = writes.create().await.unwrap();
    again.write(b"artifact".to_vec()).await.unwrap();
    let writer = tokio::spawn(again.finish(AT.plus_millis(20)));
    until_awaited(&lock, &writer).await;
    std::fs::remove_file(place(&folder, &digest)).unwrap();
    lock.unlock().unwrap();
    writer.await.unwrap().unwrap();
    assert!(collects.verify(&digest).await.unwrap());
}

#[tokio::test]
async fn damage_is_seen_at_the_end_of_a_read_and_mended_by_writing_again() {
    let folder = folder();
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let digest = written(&blobs, &[b"artifact"]).await;
    for damage in [&b"artefact"[..], b"artif"] {
        std::fs::write(place(&folder, &digest), damage).unwrap();
        let error = blobs.verify(&digest).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("is damaged"), "{source}");
        assert_eq!(written(&blobs, &[b"artifact"]).await, digest);
        assert!(blobs.verify(&digest).await.unwrap());
    }
}

#[tokio::test]
async fn a_blob_is_removed_only_when_its_last_write_is_old_enough() {
    let folder = folder();
    let blobs = Blobs::open_artifacts(folder.path()).unwrap();
    let digest = written(&blobs, &[b"artifact"]).await;
    std::fs::write(place(&folder, &digest).with_file_name("notes.txt"), "not a blob").unwrap();
    let head = u8::from_str_radix(&digest.as_str()[7..9], 16).unwrap();
    assert_eq!(blobs.beginning_with(head).await.unwrap(), std::slice::from_ref(&digest));
    assert!(blobs.beginning_with(head.wrapping_add(1)).await.unwrap().is_empty());
    let mut reader = blobs.reader(&digest, 0).await.unwrap().unwrap();
    assert_eq!(blobs.remove_older(&digest, AT).await.unwrap(), None);
    let mut again = blobs.create().await.unwrap();
    again.write(b"artifact".to_vec()).await.unwrap();
    again.finish(AT.plus_millis(5)).await.unwrap();
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(5)).await.unwrap(), None, "it was written again");
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(6)).await.unwrap(), Some(8));
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(6)).await.unwrap(), None);
    assert_eq!(reader.read(100).await.unwrap(), b"artifact", "who has it open reads on");
}
