//! Buckets: what is large, what goes wrong on the way, and what is said about it then.

use std::io::Read;
use std::time::Duration;

use quantum_core::id::Digest;
use quantum_core::time::Timestamp;
use quantum_store::conformance::{execution_id, scope};
use quantum_store::{Archive, Blobs, Bucket, BucketOptions, EndKey, Error, Secret, Trouble};
use quantum_testing_bucket::{ACCESS_KEY, Line, ObjectStore};
use tempfile::TempDir;

use crate::folder;
use crate::kept::{options, read_to_end, written};

const MIB: usize = 1024 * 1024;

/// With no patience: what does not answer is given up at once.
fn hasty(endpoint: &str) -> BucketOptions {
    BucketOptions { request_timeout: Duration::from_secs(2), retries: 1, ..options(endpoint) }
}

fn artifacts(options: BucketOptions, data: &TempDir) -> Blobs {
    Blobs::artifacts_in_bucket(&Bucket::new(options).unwrap(), data.path()).unwrap()
}

/// Bytes that are not the same anywhere.
fn large(bytes: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(bytes + 8);
    let mut number = 0_u64;
    while content.len() < bytes {
        number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        content.extend_from_slice(&number.to_le_bytes());
    }
    content.truncate(bytes);
    content
}

#[track_caller]
fn trouble<T>(done: Result<T, Error>) -> (Trouble, String) {
    let error = done.err().expect("it cannot be done");
    let Error::Bucket(error) = error else { unreachable!("{error:?}") };
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    (error.trouble.clone(), format!("{error} {source}"))
}

async fn put(blobs: &Blobs) -> (Trouble, String) {
    trouble(blobs.put(b"artifact".to_vec()).await)
}

async fn read(blobs: &Blobs) -> (Trouble, String) {
    trouble(blobs.reader(&Blobs::digest(b"artifact"), 0).await)
}

#[tokio::test]
async fn what_is_large_goes_in_parts_and_comes_in_pieces() {
    let (store, data) = (ObjectStore::start(), folder());
    let blobs = artifacts(options(&store.endpoint()), &data);
    // Two whole parts, and three with a last one that is short.
    for bytes in [16 * MIB, 19 * MIB + 7] {
        let content = large(bytes);
        let digest = written(&blobs, &[&content]).await;
        assert_eq!(digest, Blobs::digest(&content));
        assert!(blobs.verify(&digest).await.unwrap());
        let from = 5 * MIB + 3;
        assert!(read_to_end(&blobs, &digest, from as u64, 700_001).await == content[from..]);
        assert!(blobs.get(&digest).await.unwrap().unwrap() == content);
    }
    assert!(store.unfinished_parts().is_empty());
}

#[tokio::test]
async fn an_upload_that_is_broken_off_is_aborted() {
    let (store, data) = (ObjectStore::start(), folder());
    let blobs = artifacts(options(&store.endpoint()), &data);
    let content = large(40 * MIB);
    let digest = Blobs::digest(&content);
    let writes = tokio::spawn({
        let blobs = blobs.clone();
        async move { written(&blobs, &[&content]).await }
    });
    while store.unfinished_parts().is_empty() {
        assert!(!writes.is_finished());
        tokio::task::yield_now().await;
    }
    writes.abort();
    assert!(writes.await.unwrap_err().is_cancelled());
    let gone = async {
        while !store.unfinished_parts().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let removed = tokio::time::timeout(Duration::from_secs(60), gone).await;
    assert!(removed.is_ok(), "its parts are removed: {:?}", store.unfinished_parts());
    assert!(!blobs.verify(&digest).await.unwrap());
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_of_an_upload_leaves_no_blob() {
    let (store, data) = (ObjectStore::start(), folder());
    let line = Line::to(store.address());
    let blobs = artifacts(hasty(&line.endpoint()), &data);
    let content = large(20 * MIB);
    line.cut_after(10 * MIB as u64);
    let mut writer = blobs.create().await.unwrap();
    writer.write(content.clone()).await.unwrap();
    let (found, told) = trouble(writer.finish(Timestamp::from_millis(0)).await);
    assert!(matches!(found, Trouble::Unreachable { .. }), "{told}");
    assert_eq!(std::fs::read_dir(data.path().join("artifacts/drafts")).unwrap().count(), 0);
    line.mend();
    let digest = Blobs::digest(&content);
    assert!(!blobs.verify(&digest).await.unwrap());
    assert_eq!(written(&blobs, &[&content]).await, digest);
    assert!(blobs.verify(&digest).await.unwrap());
}

#[tokio::test]
async fn a_read_goes_on_after_a_cut_and_fails_when_the_blob_was_removed() {
    let (store, data) = (ObjectStore::start(), folder());
    let line = Line::to(store.address());
    let blobs = artifacts(options(&line.endpoint()), &data);
    let digest = written(&blobs, &[&large(9 * MIB)]).await;
    let mut reader = blobs.reader(&digest, 0).await.unwrap().unwrap();
    assert_eq!(reader.read(100).await.unwrap().len(), 100);
    // The connection that is kept open ends, and the next one works.
    line.cut_after(0);
    let cut = tokio::spawn(async move {
        let read = read_all(&mut reader).await;
        (reader, read)
    });
    while line.cuts() == 0 {
        tokio::task::yield_now().await;
    }
    line.mend();
    assert_eq!(cut.await.unwrap().1.unwrap(), 9 * MIB - 100);

    let mut reader = blobs.reader(&digest, 0).await.unwrap().unwrap();
    let later = Timestamp::from_millis(i64::MAX / 2);
    assert_eq!(blobs.remove_older(&digest, later).await.unwrap(), Some(9 * MIB as u64));
    let (found, told) = trouble(read_all(&mut reader).await);
    assert_eq!(found, Trouble::Gone, "{told}");
    assert!(told.contains("restore it from a backup"), "{told}");
}

async fn read_all(reader: &mut quantum_store::BlobReader) -> Result<usize, Error> {
    let mut all = 0;
    loop {
        match reader.read(MIB).await?.len() {
            0 => return Ok(all),
            bytes => all += bytes,
        }
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_in_time() {
    let (store, data) = (ObjectStore::start(), folder());
    let line = Line::to(store.address());
    let quick = BucketOptions { request_timeout: Duration::from_millis(200), ..hasty(&line.endpoint()) };
    let blobs = artifacts(quick, &data);
    line.silence();
    for (found, told) in [put(&blobs).await, read(&blobs).await] {
        assert_eq!(found, Trouble::TimedOut { endpoint: line.endpoint() }, "{told}");
        assert!(told.contains("blob_store.timeout_ms"), "{told}");
    }
    let (found, told) = trouble(blobs.beginning_with(0).await);
    assert_eq!(found, Trouble::TimedOut { endpoint: line.endpoint() }, "{told}");
}

#[tokio::test]
async fn what_cannot_be_reached_says_where_it_was_looked_for() {
    let data = folder();
    // A port that somebody had a moment ago, and nobody has now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{free}");
    for (found, told) in
        [put(&artifacts(hasty(&endpoint), &data)).await, read(&artifacts(hasty(&endpoint), &data)).await]
    {
        assert_eq!(found, Trouble::Unreachable { endpoint: endpoint.clone() }, "{told}");
        assert!(told.contains("blob_store.endpoint"), "{told}");
    }
}

#[tokio::test]
async fn credentials_that_are_refused_are_told_and_not_shown() {
    let (store, data) = (ObjectStore::start(), folder());
    let credentials = Some((ACCESS_KEY.to_owned(), Secret("another-secret".to_owned())));
    let blobs = artifacts(BucketOptions { credentials, ..options(&store.endpoint()) }, &data);
    for (found, told) in [put(&blobs).await, read(&blobs).await, trouble(blobs.beginning_with(0).await)] {
        assert_eq!(found, Trouble::Refused, "{told}");
        assert!(told.contains("AWS_ACCESS_KEY_ID") && !told.contains("another-secret"), "{told}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_not_taken_for_an_empty_one() {
    let (store, data) = (ObjectStore::start(), folder());
    let address = "s3://another-bucket/x".parse().unwrap();
    let blobs = artifacts(BucketOptions { address, ..options(&store.endpoint()) }, &data);
    for (found, told) in [put(&blobs).await, read(&blobs).await, trouble(blobs.beginning_with(0).await)] {
        assert_eq!(found, Trouble::NoBucket, "{told}");
        assert!(told.contains("s3://another-bucket/x") && told.contains("--blobs"), "{told}");
    }
}

#[tokio::test]
async fn a_probe_finds_what_is_denied_and_that_it_is_well_again() {
    let store = ObjectStore::start();
    let bucket = Bucket::new(options(&store.endpoint())).unwrap();
    bucket.probe().await.unwrap();
    store.deny_writes(true);
    let (found, told) = trouble(bucket.probe().await);
    assert_eq!(found, Trouble::Denied, "{told}");
    assert!(told.contains("s3:PutObject"), "{told}");
    assert!(told.starts_with(&bucket.trouble().unwrap()), "{told}");
    store.deny_writes(false);
    bucket.probe().await.unwrap();
    assert_eq!(bucket.trouble(), None);
    assert!(bucket.list("probes").await.unwrap().is_empty(), "it leaves nothing");
}

#[tokio::test]
async fn a_list_goes_on_where_a_page_ends() {
    let (store, data) = (ObjectStore::start(), folder());
    let blobs = artifacts(options(&store.endpoint()), &data);
    let digest = |number: u32| Digest::new(format!("sha256:ab{number:062x}")).unwrap();
    std::fs::create_dir_all(store.file("some/prefix/artifacts/sha256/ab")).unwrap();
    for number in 0..1_100 {
        let tail = &digest(number).as_str()[9..].to_owned();
        std::fs::write(store.file(&format!("some/prefix/artifacts/sha256/ab/{tail}")), "x").unwrap();
    }
    let mut found = blobs.beginning_with(0xab).await.unwrap();
    found.sort();
    assert_eq!(found, (0..1_100).map(digest).collect::<Vec<_>>());
    assert!(blobs.beginning_with(0xa0).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_of_the_archive_is_whole_or_absent() {
    let (store, data) = (ObjectStore::start(), folder());
    let archive = Archive::in_bucket(&Bucket::new(options(&store.endpoint())).unwrap(), data.path());
    let ended_at = Timestamp::parse("2026-11-27T16:44:17.123Z").unwrap();
    let first = EndKey { ended_at, id: execution_id(1) };
    let place = "archive/t-1/2026/11/20261127T164417123Z-0198c0de-0000-7000-8000-000000000001.jsonl.gz";
    let file = store.file(&format!("some/prefix/{place}"));
    let mut cut_off = archive.create(&scope("t-1"), first).await.unwrap();
    cut_off.write("half".into()).await.unwrap();
    drop(cut_off);
    assert!(!file.exists());
    for text in ["one", "in its place"] {
        let mut writer = archive.create(&scope("t-1"), first).await.unwrap();
        writer.write(text.into()).await.unwrap();
        writer.finish().await.unwrap();
        let mut read = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap()).read_to_string(&mut read).unwrap();
        assert_eq!(read, format!("{text}\n"));
    }
    assert_eq!(std::fs::read_dir(data.path().join("archive/.drafts")).unwrap().count(), 0);
    archive.remove(&scope("t-1"), first).await.unwrap();
    assert!(!file.exists());
}
