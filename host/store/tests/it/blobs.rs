//! Blobs: complete or absent, and verified when read.

use quantum_core::port::ComponentSource;
use quantum_store::Blobs;

use crate::folder;

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
