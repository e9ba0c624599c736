//! What holds of blobs wherever they lie: each topic runs on a folder and on a bucket.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use quantum_core::id::Digest;
use quantum_core::port::ComponentSource;
use quantum_core::time::Timestamp;
use quantum_store::{Blobs, Bucket, BucketOptions, Secret};
use quantum_testing_bucket::{ACCESS_KEY, BUCKET, ObjectStore, SECRET_KEY};
use tempfile::TempDir;

use crate::folder;

const PREFIX: &str = "some/prefix";
pub const AT: Timestamp = Timestamp::from_millis(1_763_892_000_000);

/// A place, and what is below it as files: the object store of the tests keeps objects as such, too.
pub enum Kept {
    Folder(TempDir),
    Bucket { store: ObjectStore, data: TempDir },
}

impl Kept {
    pub fn bucket() -> Self {
        Self::Bucket { store: ObjectStore::start(), data: folder() }
    }

    fn blobs(&self) -> Blobs {
        match self {
            Self::Folder(data) => Blobs::open_artifacts(data.path()).unwrap(),
            Self::Bucket { store, data } => {
                let bucket = Bucket::new(options(&store.endpoint())).unwrap();
                Blobs::artifacts_in_bucket(&bucket, data.path()).unwrap()
            }
        }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        let (head, tail) = digest.as_str().trim_start_matches("sha256:").split_at(2);
        let path = format!("artifacts/sha256/{head}/{tail}");
        match self {
            Self::Folder(data) => data.path().join(path),
            Self::Bucket { store, .. } => store.file(&format!("{PREFIX}/{path}")),
        }
    }

    /// Files that are not complete.
    fn unfinished(&self) -> usize {
        let (data, parts) = match self {
            Self::Folder(data) => (data, 0),
            Self::Bucket { store, data } => (data, store.unfinished_parts().len()),
        };
        parts + std::fs::read_dir(data.path().join("artifacts/drafts")).unwrap().count()
    }

    /// As if it had been written at that time.
    fn set_written(&self, digest: &Digest, at: Timestamp) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millis().try_into().unwrap());
        File::options().write(true).open(self.file(digest)).unwrap().set_modified(at).unwrap();
    }
}

/// For the bucket of the tests.
pub fn options(endpoint: &str) -> BucketOptions {
    BucketOptions {
        endpoint: Some(endpoint.to_owned()),
        path_style: true,
        credentials: Some((ACCESS_KEY.to_owned(), Secret(SECRET_KEY.to_owned()))),
        ..BucketOptions::new(format!("s3://{BUCKET}/{PREFIX}").parse().unwrap())
    }
}

pub async fn written(blobs: &Blobs, pieces: &[&[u8]]) -> Digest {
    let mut writer = blobs.create().await.unwrap();
    for piece in pieces {
        writer.write(piece.to_vec()).await.unwrap();
    }
    writer.finish(AT).await.unwrap().0
}

pub async fn read_to_end(blobs: &Blobs, digest: &Digest, offset: u64, piece: usize) -> Vec<u8> {
    let mut reader = blobs.reader(digest, offset).await.unwrap().unwrap();
    let mut all = Vec::new();
    loop {
        let bytes = reader.read(piece).await.unwrap();
        assert!(bytes.len() <= piece);
        if bytes.is_empty() {
            return all;
        }
        all.extend(bytes);
    }
}

async fn what_is_put_is_read_as_it_was(kept: &Kept) {
    let blobs = kept.blobs();
    let (first, again) = tokio::join!(blobs.put(b"component".to_vec()), blobs.put(b"component".to_vec()));
    let digest = first.unwrap();
    assert_eq!((again.unwrap(), &digest), (digest.clone(), &Blobs::digest(b"component")));
    assert_eq!(blobs.get(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
    assert_eq!(blobs.read(&digest).await.unwrap().as_deref(), Some(&b"component"[..]));
    assert_eq!(blobs.get(&Blobs::digest(b"other")).await.unwrap(), None);
    assert_eq!(std::fs::read(kept.file(&digest)).unwrap(), b"component");
}

async fn pieces_are_read_from_any_byte(kept: &Kept) {
    let blobs = kept.blobs();
    let digest = written(&blobs, &[b"first ", b"", b"second"]).await;
    assert_eq!(digest, Blobs::digest(b"first second"));
    assert_eq!(read_to_end(&blobs, &digest, 0, 5).await, b"first second");
    assert_eq!(read_to_end(&blobs, &digest, 6, 100).await, b"second");
    assert!(read_to_end(&blobs, &digest, 12, 100).await.is_empty());
    assert!(read_to_end(&blobs, &digest, u64::MAX, 100).await.is_empty());
    assert!(blobs.reader(&Blobs::digest(b"other"), 0).await.unwrap().is_none());
    assert!(blobs.reader(&Blobs::digest(b"other"), 5).await.unwrap().is_none());
    let empty = written(&blobs, &[]).await;
    assert!(read_to_end(&blobs, &empty, 0, 5).await.is_empty());
    assert!(blobs.verify(&digest).await.unwrap() && blobs.verify(&empty).await.unwrap());
    assert!(!blobs.verify(&Blobs::digest(b"other")).await.unwrap());
    assert_eq!(kept.unfinished(), 0);
}

async fn what_is_not_finished_leaves_nothing(kept: &Kept) {
    let blobs = kept.blobs();
    let mut writer = blobs.create().await.unwrap();
    writer.write(b"half".to_vec()).await.unwrap();
    assert_eq!((kept.unfinished(), writer.bytes()), (1, 4));
    assert_eq!(writer.digest(), Some(Blobs::digest(b"half")));
    drop(writer);
    assert_eq!(kept.unfinished(), 0);
    assert!(blobs.reader(&Blobs::digest(b"half"), 0).await.unwrap().is_none());
}

async fn damage_is_seen_and_mended(kept: &Kept) {
    let blobs = kept.blobs();
    let digest = written(&blobs, &[b"artifact"]).await;
    for damage in [&b"artefact"[..], b"artif", b""] {
        std::fs::write(kept.file(&digest), damage).unwrap();
        for error in [blobs.verify(&digest).await.unwrap_err(), blobs.get(&digest).await.unwrap_err()] {
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains("is damaged"), "{source}");
        }
        assert!(blobs.read(&digest).await.unwrap_err().to_string().contains("is damaged"));
        assert_eq!(written(&blobs, &[b"artifact"]).await, digest);
        assert!(blobs.verify(&digest).await.unwrap());
    }
}

async fn what_is_old_is_listed_and_removed(kept: &Kept) {
    let blobs = kept.blobs();
    let digest = written(&blobs, &[b"artifact"]).await;
    std::fs::write(kept.file(&digest).with_file_name("notes.txt"), "not a blob").unwrap();
    let head = u8::from_str_radix(&digest.as_str()[7..9], 16).unwrap();
    assert_eq!(blobs.beginning_with(head).await.unwrap(), std::slice::from_ref(&digest));
    assert!(blobs.beginning_with(head.wrapping_add(1)).await.unwrap().is_empty());
    kept.set_written(&digest, AT);
    assert_eq!(blobs.remove_older(&digest, AT).await.unwrap(), None);
    blobs.put(b"artifact".to_vec()).await.unwrap();
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(1)).await.unwrap(), None, "it was written again");
    kept.set_written(&digest, AT);
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(1)).await.unwrap(), Some(8));
    assert_eq!(blobs.remove_older(&digest, AT.plus_millis(1)).await.unwrap(), None);
    assert!(!blobs.verify(&digest).await.unwrap());
}

async fn all_who_write_the_same_have_it(kept: &Kept) {
    let text = "the same bytes ".repeat(1_000).into_bytes();
    let writers = (0..8).map(|_| {
        let (blobs, text) = (kept.blobs(), text.clone());
        tokio::spawn(async move {
            let digest = written(&blobs, &[&text]).await;
            blobs.get(&digest).await.unwrap() == Some(text)
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert!(writer.await.unwrap());
    }
    assert_eq!(kept.unfinished(), 0);
}

macro_rules! on_both {
    ($($topic:ident),* $(,)?) => {
        mod in_folder {
            $(#[tokio::test]
            async fn $topic() {
                super::$topic(&super::Kept::Folder(super::folder())).await;
            })*
        }
        mod in_bucket {
            $(#[tokio::test]
            async fn $topic() {
                super::$topic(&super::Kept::bucket()).await;
            })*
        }
    };
}

on_both!(
    what_is_put_is_read_as_it_was,
    pieces_are_read_from_any_byte,
    what_is_not_finished_leaves_nothing,
    damage_is_seen_and_mended,
    what_is_old_is_listed_and_removed,
    all_who_write_the_same_have_it,
);
