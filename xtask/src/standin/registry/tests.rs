//! The protocol as a client meets it, over HTTP.

use serde_json::{Value, json};

use super::*;
use crate::http::{Answer, Request, send};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

struct Client {
    registry: Registry,
    authorization: String,
}

impl Client {
    /// With a token for `repository`.
    fn new(scopes: &[&str]) -> Self {
        let account = Account { user: "ci".to_owned(), password: "s3cret".to_owned() };
        let registry = Registry::start(account).unwrap();
        let scopes: String = scopes.iter().map(|scope| format!("&scope={scope}")).collect();
        let mut client = Self { registry, authorization: basic_header("ci:s3cret") };
        let answer = client.ask("GET", &format!("/token?service=standin-registry{scopes}"), "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token: Value = serde_json::from_slice(&answer.body).unwrap();
        client.authorization = format!("Bearer {}", token["token"].as_str().unwrap());
        client
    }

    fn pusher() -> Self {
        Self::new(&["repository:team/app:pull,push"])
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, ("accept", "*/*"), body)
    }

    fn ask_with(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
        let headers = [("authorization", self.authorization.as_str()), header];
        send(&self.registry.url(), Request { method, path, headers: &headers, body }).unwrap()
    }

    /// Pushes a blob in one piece.
    fn push(&self, repository: &str, bytes: &str) -> Digest {
        let digest = Digest::of(bytes.as_bytes());
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        assert_eq!(self.ask("POST", &path, bytes).status, 201);
        digest
    }

    fn put_manifest(&self, reference: &str, manifest: &str) -> Answer {
        let path = format!("/v2/team/app/manifests/{reference}");
        self.ask_with("PUT", &path, ("content-type", IMAGE), manifest)
    }
}

fn basic_header(account: &str) -> String {
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    format!("Basic {}", basic(user, password))
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, body["errors"][0]["code"].as_str()), (status, Some(code)), "{body}");
}

fn descriptor(bytes: &str, digest: &Digest) -> Value {
    json!({ "mediaType": "application/octet-stream", "size": bytes.len(), "digest": digest.to_string() })
}

fn manifest(config: &Value, layers: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers }).to_string()
}

#[test]
fn who_has_no_token_is_told_where_to_get_one() {
    let mut client = Client::pusher();
    client.authorization = String::new();
    let url = client.registry.url();
    for (method, actions) in [("GET", "pull"), ("PUT", "pull,push")] {
        let answer = client.ask(method, "/v2/team/app/manifests/latest", "");
        refused(&answer, 401, "UNAUTHORIZED");
        let expected = format!(
            "Bearer realm=\"{url}/token\",service=\"standin-registry\",scope=\"repository:team/app:{actions}\""
        );
        assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
    }
    for wrong in
        [basic_header("ci:s3cre"), basic_header("ci"), "Basic !".to_owned(), "Bearer s3cret".to_owned()]
    {
        client.authorization = wrong;
        refused(&client.ask("GET", "/token?service=standin-registry", ""), 401, "UNAUTHORIZED");
        refused(&client.ask("GET", "/v2/", ""), 401, "UNAUTHORIZED");
    }
    client.authorization = basic_header("ci:s3cret");
    refused(&client.ask("GET", "/token?service=another", ""), 400, "UNSUPPORTED");
}

#[test]
fn a_token_is_good_for_what_it_was_asked_for() {
    let client = Client::new(&["repository:team/app:pull"]);
    assert_eq!(client.ask("GET", "/v2/", "").status, 200);
    refused(&client.ask("GET", "/v2/team/app/manifests/latest", ""), 404, "MANIFEST_UNKNOWN");
    refused(&client.ask("POST", "/v2/team/app/blobs/uploads/", ""), 401, "UNAUTHORIZED");
    refused(&client.ask("GET", "/v2/team/app2/manifests/latest", ""), 401, "UNAUTHORIZED");
}

#[test]
fn a_blob_is_taken_in_pieces_that_follow_each_other_and_only_as_what_it_is() {
    let client = Client::pusher();
    let opened = client.ask("POST", "/v2/team/app/blobs/uploads/", "");
    assert_eq!((opened.status, opened.header("range")), (202, Some("0-0")));
    let path = opened.header("location").unwrap().to_owned();
    let patch = |range: &str, body: &str| client.ask_with("PATCH", &path, ("content-range", range), body);
    assert_eq!(patch("0-2", "abc").header("range"), Some("0-2"));
    for (range, body) in [("0-2", "abc"), ("4-5", "ef"), ("3-9", "de"), ("3", "d"), ("9-3", "x")] {
        let answer = patch(range, body);
        refused(&answer, 416, "BLOB_UPLOAD_INVALID");
        assert_eq!(answer.header("range"), Some("0-2"), "{range}");
    }
    assert_eq!(patch("3-4", "de").status, 202);
    let status = client.ask("GET", &path, "");
    assert_eq!((status.status, status.header("range")), (204, Some("0-4")));

    let digest = Digest::of(b"abcdef");
    let done = client.ask("PUT", &format!("{path}&digest={digest}"), "f");
    assert_eq!((done.status, done.header("docker-content-digest")), (201, Some(digest.to_string().as_str())));
    let blob = format!("/v2/team/app/blobs/{digest}");
    assert_eq!(client.ask("GET", &blob, "").text(), "abcdef");
    assert_eq!(client.ask("HEAD", &blob, "").header("content-length"), Some("6"));
    refused(&client.ask("GET", &path, ""), 404, "BLOB_UPLOAD_UNKNOWN");
}

#[test]
fn other_bytes_than_the_digest_says_are_thrown_away() {
    let client = Client::pusher();
    let digest = Digest::of(b"abc");
    let path = format!("/v2/team/app/blobs/uploads/?digest={digest}");
    refused(&client.ask("POST", &path, "abd"), 400, "DIGEST_INVALID");
    refused(&client.ask("GET", &format!("/v2/team/app/blobs/{digest}"), ""), 404, "BLOB_UNKNOWN");
    refused(&client.ask("POST", "/v2/team/app/blobs/uploads/?digest=abc", "abc"), 400, "DIGEST_INVALID");
}

#[test]
fn a_blob_is_mounted_from_a_repository_that_the_token_may_pull_from() {
    let client =
        Client::new(&["repository:team/app:pull,push", "repository:base:pull,push", "repository:other:pull"]);
    let digest = client.push("base", "layer");
    let mount = |from: &str| format!("/v2/team/app/blobs/uploads/?mount={digest}&from={from}");
    assert_eq!(client.ask("POST", &mount("other"), "").status, 202);
    assert_eq!(client.ask("POST", &mount("secret"), "").status, 202);
    let blob = format!("/v2/team/app/blobs/{digest}");
    assert_eq!(client.ask("HEAD", &blob, "").status, 404);
    assert_eq!(client.ask("POST", &mount("base"), "").status, 201);
    assert_eq!(client.ask("GET", &blob, "").text(), "layer");
}

#[test]
fn a_manifest_is_kept_byte_for_byte_under_its_tag_and_digest() {
    let client = Client::pusher();
    let (config, layer) = (client.push("team/app", "{}"), client.push("team/app", "layer"));
    let bytes = manifest(&descriptor("{}", &config), &[descriptor("layer", &layer)]);
    let digest = Digest::of(bytes.as_bytes());
    assert_eq!(client.put_manifest("latest", &bytes).status, 201);
    assert_eq!(client.put_manifest(&digest.to_string(), &bytes).status, 201);
    for reference in ["latest", &digest.to_string()] {
        let answer = client.ask("GET", &format!("/v2/team/app/manifests/{reference}"), "");
        assert_eq!((answer.status, answer.text().as_str()), (200, bytes.as_str()));
        assert_eq!(answer.header("content-type"), Some(IMAGE));
        assert_eq!(answer.header("docker-content-digest"), Some(digest.to_string().as_str()));
        assert!(client.registry.view().has("team/app", reference));
    }
    let tags: Value = serde_json::from_slice(&client.ask("GET", "/v2/team/app/tags/list", "").body).unwrap();
    assert_eq!(tags, json!({ "name": "team/app", "tags": ["latest"] }));
    assert!(
        !client.registry.view().has("team/app", "other") && !client.registry.view().has("other", "latest")
    );
}

#[test]
fn a_manifest_that_is_wrong_or_has_more_than_the_repository_is_refused() {
    let client = Client::pusher();
    let config = client.push("team/app", "{}");
    let good = descriptor("{}", &config);
    let missing = manifest(&good, &[descriptor("layer", &Digest::of(b"layer"))]);
    refused(&client.put_manifest("latest", &missing), 400, "MANIFEST_BLOB_UNKNOWN");
    let mut sized = good.clone();
    sized["size"] = json!(3);
    refused(&client.put_manifest("latest", &manifest(&sized, &[])), 400, "SIZE_INVALID");
    let right = manifest(&good, &[]);
    refused(&client.put_manifest(&Digest::of(b"x").to_string(), &right), 400, "DIGEST_INVALID");
    refused(&client.put_manifest("-latest", &right), 400, "TAG_INVALID");
    for bad in ["{", "{}", &right.replace(IMAGE, "text/plain"), &right.replace(":2", ":1")] {
        refused(&client.put_manifest("latest", bad), 400, "MANIFEST_INVALID");
    }
    refused(&client.ask("PUT", "/v2/team/app/manifests/latest", &right), 400, "MANIFEST_INVALID");
    refused(&client.ask("DELETE", "/v2/team/app/manifests/latest", ""), 405, "UNSUPPORTED");
}
