//! Pushing: what is sent and what is not, what comes out, and what each refusal means.

use quantum_sdk::Failure;
use quantum_sdk::http::ErrorKind;
use quantum_sdk::testing::{Answer, Host};
use serde_json::{Value, json};

use super::registry::{
    MANIFEST, UPLOADS, artifact, error, has_everything, push, push_with, script, sent, takes_everything,
    upload, with_image,
};
use super::{ending, message, text};
use crate::digest::Digest;
use crate::push::push_to_registry;

#[test]
fn a_registry_that_has_nothing_gets_everything() {
    let (host, blobs) = with_image(json!({}));
    takes_everything(&host, &blobs);
    let output = push(&host).unwrap();
    let manifest = artifact(&host, "myapp:1.2.3");
    let digest = Digest::of(&manifest);
    let bytes: usize = blobs.iter().map(|blob| blob.bytes.len()).sum();
    assert_eq!(
        output,
        json!({
            "image": "myapp:1.2.3",
            "reference": format!("azurecr.io/myapp@{digest}"),
            "digest": digest,
            "registry": "azurecr.io",
            "repository": "myapp",
            "tag": "1.2.3",
            "pushed_blobs": 2,
            "reused_blobs": 0,
            "bytes": bytes,
        })
    );
    let requests = host.requests();
    for (put, blob) in [(&requests[2], &blobs[0]), (&requests[5], &blobs[1])] {
        assert_eq!(put.body, blob.bytes);
        assert_eq!(put.header("content-type"), Some("application/octet-stream"));
        assert_eq!(put.header("content-length"), Some(blob.bytes.len().to_string().as_str()));
    }
    assert_eq!(requests[1].header("content-length"), Some("0"));
    let last = requests.last().unwrap();
    assert_eq!(last.body, manifest, "the manifest's exact bytes");
    assert_eq!(last.header("content-type"), Some("application/vnd.oci.image.manifest.v1+json"));
    assert!(requests.iter().all(|request| request.header("authorization").is_none()));
    assert_eq!(host.progress().last().unwrap().0, 100);
}

#[test]
fn what_is_there_is_not_sent_again() {
    let (host, blobs) = with_image(json!({}));
    has_everything(&host, &blobs);
    let output = push(&host).unwrap();
    assert_eq!(
        (&output["pushed_blobs"], &output["reused_blobs"], &output["bytes"]),
        (&json!(0), &json!(2), &json!(0))
    );
    let expected =
        [format!("HEAD {}", blobs[0].path()), format!("HEAD {}", blobs[1].path()), format!("PUT {MANIFEST}")];
    assert_eq!(sent(&host), expected);
}

#[test]
fn the_place_follows_from_the_name_unless_the_step_says_otherwise() {
    for (more, repository, tag) in [
        (json!({}), "myapp", json!("1.2.3")),
        (json!({ "tag": "stable" }), "myapp", json!("stable")),
        (json!({ "repository": "team/shop" }), "team/shop", json!("1.2.3")),
        (json!({ "registry": "AZURECR.io" }), "myapp", json!("1.2.3")),
    ] {
        let (host, blobs) = with_image(json!({}));
        for blob in &blobs {
            script(&host, "HEAD", &format!("/v2/{repository}/blobs/{}", blob.digest), Answer::status(200));
        }
        let path = format!("/v2/{repository}/manifests/{}", text(&tag));
        script(&host, "PUT", &path, Answer::status(201));
        let output = push_with(&host, more).unwrap();
        assert_eq!((&output["repository"], &output["tag"]), (&json!(repository), &tag));
    }
}

#[test]
fn an_image_can_be_named_by_its_digest() {
    let (host, blobs) = with_image(json!({}));
    let digest = Digest::of(&artifact(&host, "myapp:1.2.3"));
    let unnamed = push_with(&host, json!({ "image": digest }));
    assert_eq!(ending(unnamed), ("repository-missing".to_owned(), false));
    for blob in &blobs {
        script(&host, "HEAD", &blob.path(), Answer::status(200));
    }
    script(&host, "PUT", &format!("/v2/myapp/manifests/{digest}"), Answer::status(201));
    let output = push_with(&host, json!({ "image": format!("myapp@{digest}") })).unwrap();
    assert_eq!((&output["tag"], &output["digest"]), (&Value::Null, &json!(digest)));
    has_everything(&host, &blobs);
    let more = json!({ "image": digest, "repository": "myapp", "tag": "1.2.3" });
    assert_eq!(push_with(&host, more).unwrap()["tag"], "1.2.3");
}

#[test]
fn an_image_that_is_not_there_or_not_whole_or_none_is_refused() {
    let (host, _) = with_image(json!({}));
    let missing = push_with(&host, json!({ "image": "other:1" }));
    assert!(message(missing.clone()).contains("build-container"));
    assert_eq!(ending(missing), ("image-missing".to_owned(), false));

    let manifest = artifact(&host, "myapp:1.2.3");
    let alone = Host::new().artifact("myapp:1.2.3", None, manifest);
    assert_eq!(ending(push(&alone)), ("image-incomplete".to_owned(), false));

    let index =
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    for bytes in [b"no json".to_vec(), index.to_vec(), vec![b' '; 5 * 1024 * 1024]] {
        let other = Host::new().artifact("myapp:1.2.3", None, bytes);
        assert_eq!(ending(push(&other)), ("image-unsupported".to_owned(), false));
    }
}

#[test]
fn parameters_that_name_no_place_are_refused() {
    let (host, _) = with_image(json!({}));
    for (more, code) in [
        (json!({ "registry": "azurecr.io/team" }), "registry-invalid"),
        (json!({ "registry": "https://azurecr.io" }), "registry-invalid"),
        (json!({ "image": "My App" }), "image-invalid"),
        (json!({ "repository": "Team" }), "repository-invalid"),
        (json!({ "tag": "-x" }), "tag-invalid"),
        (json!({ "registry": 5 }), "invalid-parameters"),
    ] {
        assert_eq!(ending(push_with(&host, more.clone())), (code.to_owned(), false), "{more}");
    }
    assert!(host.requests().is_empty());
}

/// The requests of a push that can be refused.
const STEPS: &[&str] = &["HEAD", "POST", "PUT", "manifest"];

/// A push of which one step gets this answer.
fn refused_at(refused: &str, answer: &Answer) -> Result<Value, Failure> {
    let (host, blobs) = with_image(json!({}));
    let (blob, session) = (&blobs[0], "/upload/0");
    let or = |step: &str, usual| if refused == step { answer.clone() } else { usual };
    script(&host, "HEAD", &blob.path(), or("HEAD", Answer::status(404)));
    script(&host, "POST", UPLOADS, or("POST", upload(session)));
    script(&host, "PUT", &blob.put(session), or("PUT", Answer::status(201)));
    script(&host, "HEAD", &blobs[1].path(), Answer::status(200));
    script(&host, "PUT", MANIFEST, or("manifest", Answer::status(201)));
    push(&host)
}

#[test]
fn a_refusal_has_the_same_code_wherever_it_comes() {
    for (answer, code, retryable) in [
        (error(401, "UNAUTHORIZED"), "registry-unauthorized", false),
        (error(403, "DENIED"), "registry-forbidden", false),
        (Answer::status(429), "registry-rate-limited", true),
        (Answer::status(500), "registry-unavailable", true),
        (Answer::text(503, "over capacity"), "registry-unavailable", true),
        (Answer::status(408), "registry-unavailable", true),
        (Answer::status(400), "registry-refused", false),
        (Answer::status(405), "registry-refused", false),
        (Answer::error(ErrorKind::Timeout), "http-timeout", true),
        (Answer::error(ErrorKind::Dns), "http-dns", true),
        (Answer::error(ErrorKind::Connection), "http-connection", true),
        (Answer::error(ErrorKind::Denied), "effect-denied", false),
        (Answer::status(200).breaks_after(0), "http-connection", true),
    ] {
        for step in STEPS {
            let result = refused_at(step, &answer);
            assert_eq!(ending(result), (code.to_owned(), retryable), "{step} {answer:?}");
        }
    }
}

#[test]
fn a_refusal_tells_the_registrys_reasons_and_its_wait() {
    let answer = error(429, "TOOMANYREQUESTS").header("Retry-After", "7");
    for step in STEPS {
        let failure = refused_at(step, &answer).unwrap_err();
        assert_eq!(failure.after_ms(), Some(7_000));
        let problem = failure.problem().unwrap();
        assert!(
            problem.message.contains("azurecr.io answered 429 (TOOMANYREQUESTS: as it says)"),
            "{}",
            problem.message
        );
        let details: Value = serde_json::from_str(problem.details.as_ref().unwrap()).unwrap();
        assert_eq!(
            details,
            json!({ "registry": "azurecr.io", "status": 429, "errors": ["TOOMANYREQUESTS"] })
        );
    }
}

#[test]
fn a_name_that_the_registry_does_not_know_is_permanent() {
    let (host, blobs) = with_image(json!({}));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, error(404, "NAME_UNKNOWN"));
    assert_eq!(ending(push(&host)), ("registry-name-unknown".to_owned(), false));
}

#[test]
fn nothing_is_sent_where_an_upload_is_redirected_to() {
    for status in [301, 302, 307, 308] {
        let answer = Answer::status(status).header("Location", "https://elsewhere.example/x");
        for step in ["POST", "PUT", "manifest"] {
            let result = refused_at(step, &answer);
            assert_eq!(ending(result), ("registry-redirect".to_owned(), false), "{step} {status}");
        }
    }
}

#[test]
fn an_upload_address_at_another_host_is_asked_of_the_registry_itself() {
    for location in ["http://127.0.0.1:5000/upload/0", "https://registry.internal:5443/upload/0"] {
        let (host, blobs) = with_image(json!({}));
        script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
        script(&host, "POST", UPLOADS, upload(location));
        script(&host, "PUT", &blobs[0].put("/upload/0"), Answer::status(201));
        script(&host, "HEAD", &blobs[1].path(), Answer::status(200));
        script(&host, "PUT", MANIFEST, Answer::status(201));
        push(&host).unwrap();
    }
}

#[test]
fn a_registry_that_means_another_host_for_uploads_is_refused() {
    let (host, blobs) = with_image(json!({}));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, upload("https://storage.example/upload/0?x=1"));
    script(&host, "PUT", &format!("/upload/0?x=1&digest={}", blobs[0].digest), Answer::status(404));
    let result = push(&host);
    assert!(message(result.clone()).contains("storage.example"));
    assert_eq!(ending(result), ("registry-redirect".to_owned(), false));
}

#[test]
fn a_lost_upload_is_tried_again() {
    let (host, blobs) = with_image(json!({}));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, upload("/upload/0"));
    script(&host, "PUT", &blobs[0].put("/upload/0"), error(404, "BLOB_UPLOAD_UNKNOWN"));
    assert_eq!(ending(push(&host)), ("registry-upload-lost".to_owned(), true));
}

#[test]
fn an_upload_without_an_address_is_misunderstood() {
    let (host, blobs) = with_image(json!({}));
    script(&host, "HEAD", &blobs[0].path(), Answer::status(404));
    script(&host, "POST", UPLOADS, Answer::status(202));
    assert_eq!(ending(push(&host)), ("registry-invalid-answer".to_owned(), false));
}

#[test]
fn what_the_registry_stored_must_be_what_was_sent() {
    let other = format!("sha256:{}", "0".repeat(64));
    let stored = Answer::status(201).header("Docker-Content-Digest", &other);
    for step in ["PUT", "manifest"] {
        assert_eq!(
            ending(refused_at(step, &stored)),
            ("registry-digest-mismatch".to_owned(), false),
            "{step}"
        );
    }
    let broken = refused_at("PUT", &error(400, "DIGEST_INVALID"));
    assert_eq!(ending(broken), ("registry-digest-mismatch".to_owned(), true));
}

#[test]
fn a_push_without_an_earlier_build_sends_nothing() {
    let host = Host::new();
    let result = host.run::<push_to_registry>(json!({ "registry": "azurecr.io", "image": "myapp:1.2.3" }));
    assert_eq!(ending(result), ("image-missing".to_owned(), false));
    assert!(host.requests().is_empty());
}

#[test]
fn a_cancelled_push_stops() {
    let (host, _) = with_image(json!({}));
    assert_eq!(push(&host.cancel_in(0)), Err(Failure::Cancelled));
}
