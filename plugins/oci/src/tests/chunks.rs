//! Uploads in pieces: what the registry has counts, not what was sent.

use quantum_sdk::testing::{Answer, Host};
use serde_json::json;

use super::registry::{Blob, MANIFEST, UPLOADS, push, script, sent, upload, with_image};
use super::{ending, message};

const CHUNK: usize = 64;
const SESSION: &str = "/upload/0";

/// The layer is not there, everything else is.
fn pushing(opened: Answer) -> (Host, Blob) {
    let (host, mut blobs) = with_image(json!({ "chunk_bytes": CHUNK }));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, opened);
    script(&host, "HEAD", &blobs[1].path(), Answer::status(200));
    script(&host, "PUT", MANIFEST, Answer::status(201));
    (host, blobs.remove(0))
}

fn patch(host: &Host, received: usize) {
    let answer =
        Answer::status(202).header("Location", SESSION).header("Range", &format!("0-{}", received - 1));
    script(host, "PATCH", SESSION, answer);
}

/// What arrived, piece by piece, with the range that was told.
fn pieces(host: &Host) -> Vec<(String, Vec<u8>)> {
    let all = host.requests();
    let patches = all.iter().filter(|request| request.method == "PATCH");
    patches.map(|r| (r.header("content-range").unwrap().to_owned(), r.body.clone())).collect()
}

#[test]
fn a_large_blob_goes_in_pieces_with_their_ranges() {
    let (host, blob) = pushing(upload(SESSION));
    let size = blob.bytes.len();
    let count = size.div_ceil(CHUNK);
    assert!(count >= 3, "{size}");
    for number in 1..=count {
        patch(&host, (number * CHUNK).min(size));
    }
    script(&host, "PUT", &blob.put(SESSION), Answer::status(201));
    let output = push(&host).unwrap();
    assert_eq!((&output["pushed_blobs"], &output["bytes"]), (&json!(1), &json!(size)));
    let pieces = pieces(&host);
    for (number, (range, bytes)) in pieces.iter().enumerate() {
        let (start, end) = (number * CHUNK, ((number + 1) * CHUNK).min(size));
        assert_eq!((range, bytes.as_slice()), (&format!("{start}-{}", end - 1), &blob.bytes[start..end]));
    }
    let put = host.requests().into_iter().find(|r| r.method == "PUT").unwrap();
    assert_eq!((put.body.as_slice(), put.header("content-length")), (&b""[..], Some("0")));
    let told: Vec<u8> =
        host.progress().into_iter().skip_while(|(_, m)| m != "built").map(|(p, _)| p).collect();
    assert!(told[1..].is_sorted() && told.len() > count, "{told:?}");
}

#[test]
fn each_piece_goes_where_the_last_answer_says() {
    let (host, blob) = pushing(upload("/upload/0?s=0"));
    let count = blob.bytes.len().div_ceil(CHUNK);
    for number in 0..count {
        let next = format!("https://azurecr.io/upload/0?s={}", number + 1);
        let answer = Answer::status(202).header("Location", &next);
        script(&host, "PATCH", &format!("/upload/0?s={number}"), answer);
    }
    let last = format!("/upload/0?s={count}&digest={}", blob.digest);
    script(&host, "PUT", &last, Answer::status(201));
    push(&host).unwrap();
}

#[test]
fn a_registry_may_want_larger_pieces() {
    let (host, blob) = pushing(upload(SESSION).header("OCI-Chunk-Min-Length", "100"));
    let size = blob.bytes.len();
    for number in 1..=size.div_ceil(100) {
        patch(&host, (number * 100).min(size));
    }
    script(&host, "PUT", &blob.put(SESSION), Answer::status(201));
    push(&host).unwrap();
    assert_eq!(pieces(&host)[0].0, "0-99");
    let (host, blob) = pushing(upload(SESSION).header("OCI-Chunk-Min-Length", "1000000"));
    script(&host, "PUT", &blob.put(SESSION), Answer::status(201));
    push(&host).unwrap();
    assert!(pieces(&host).is_empty(), "a blob smaller than a piece is sent whole");
}

#[test]
fn a_piece_that_arrived_in_part_goes_on_behind_it() {
    let (host, blob) = pushing(upload(SESSION));
    let size = blob.bytes.len();
    let mut received = 10;
    patch(&host, received);
    while received < size {
        received = (received + CHUNK).min(size);
        patch(&host, received);
    }
    script(&host, "PUT", &blob.put(SESSION), Answer::status(201));
    push(&host).unwrap();
    let second = &pieces(&host)[1];
    assert_eq!((second.0.as_str(), second.1.as_slice()), ("10-73", &blob.bytes[10..74]));
}

#[test]
fn a_piece_out_of_order_asks_the_registry_where_it_is() {
    let (host, blob) = pushing(upload(SESSION));
    let size = blob.bytes.len();
    script(&host, "PATCH", SESSION, Answer::status(416));
    script(&host, "GET", SESSION, Answer::status(204).header("Location", SESSION).header("Range", "0-4"));
    let mut received = 5;
    while received < size {
        received = (received + CHUNK).min(size);
        patch(&host, received);
    }
    script(&host, "PUT", &blob.put(SESSION), Answer::status(201));
    push(&host).unwrap();
    assert_eq!(pieces(&host)[1].0, "5-68");
}

#[test]
fn an_upload_that_stays_where_it_is_ends() {
    let (host, _) = pushing(upload(SESSION));
    for _ in 0..5 {
        script(&host, "PATCH", SESSION, Answer::status(416));
        script(&host, "GET", SESSION, Answer::status(204).header("Location", SESSION));
    }
    let result = push(&host);
    assert!(message(result.clone()).contains("stays at byte 0"));
    assert_eq!(ending(result), ("registry-stalled".to_owned(), true));
    assert_eq!(sent(&host).len(), 12, "{:?}", sent(&host));
}

#[test]
fn an_upload_that_goes_back_and_forth_ends() {
    let (host, _) = pushing(upload(SESSION));
    for _ in 0..5 {
        patch(&host, CHUNK);
        script(&host, "PATCH", SESSION, Answer::status(416));
        script(&host, "GET", SESSION, Answer::status(204).header("Location", SESSION));
    }
    assert_eq!(ending(push(&host)), ("registry-stalled".to_owned(), true));
}

#[test]
fn a_registry_that_has_more_than_was_sent_or_says_nonsense_is_misunderstood() {
    for range in ["0-64", "0-18446744073709551615", "all", "0-x", ""] {
        let (host, _) = pushing(upload(SESSION));
        script(&host, "PATCH", SESSION, Answer::status(202).header("Range", range));
        assert_eq!(ending(push(&host)), ("registry-invalid-answer".to_owned(), false), "{range}");
    }
}

#[test]
fn a_piece_is_refused_like_everything_else() {
    for (status, code, retryable) in [
        (404, "registry-upload-lost", true),
        (500, "registry-unavailable", true),
        (413, "registry-refused", false),
        (307, "registry-redirect", false),
    ] {
        let (host, _) = pushing(upload(SESSION));
        script(&host, "PATCH", SESSION, Answer::status(status));
        assert_eq!(ending(push(&host)), (code.to_owned(), retryable), "{status}");
    }
    let (host, _) = pushing(upload(SESSION));
    script(&host, "PATCH", SESSION, Answer::status(416));
    script(&host, "GET", SESSION, Answer::status(500));
    assert_eq!(ending(push(&host)), ("registry-refused".to_owned(), false));
}
