//! Manifests: the exact bytes that were pushed, under a tag or their digest.

use serde_json::{Value, json};

use super::State;
use super::digest::Digest;
use super::problem::{Problem, name_unknown};
use super::shelf::{Manifest, Shelf};
use crate::http::{Received, Reply};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Bytes of a manifest, as registries have it. A larger one is refused.
const BYTES_MAX: usize = 4 * 1024 * 1024;

pub fn get(state: &State, repository: &str, reference: &str) -> Result<Reply, Problem> {
    let shelf = state.shelf();
    let manifest = shelf.manifest(repository, reference).ok_or_else(|| {
        Problem::new(404, "MANIFEST_UNKNOWN", format!("manifest unknown: {repository}:{reference}"))
    })?;
    let reply = Reply::bytes(200, &manifest.media_type, manifest.bytes.clone());
    Ok(reply.header("docker-content-digest", manifest.digest.to_string()))
}

pub fn put(state: &State, request: &Received, repository: &str, reference: &str) -> Result<Reply, Problem> {
    let manifest = read(request)?;
    let named = Digest::parse(reference);
    if named.as_ref().is_some_and(|named| *named != manifest.digest) {
        let message = format!("provided digest did not match uploaded content: it is {}", manifest.digest);
        return Err(Problem::new(400, "DIGEST_INVALID", message));
    }
    if named.is_none() && !is_tag(reference) {
        return Err(Problem::new(400, "TAG_INVALID", format!("\"{reference}\" is no tag")));
    }
    let mut shelf = state.shelf();
    check_blobs(&shelf, repository, &manifest.bytes)?;
    let digest = manifest.digest.clone();
    shelf.put_manifest(repository, named.is_none().then_some(reference), manifest);
    Ok(Reply::empty(201)
        .header("location", format!("/v2/{repository}/manifests/{digest}"))
        .header("docker-content-digest", digest.to_string()))
}

pub fn tags(state: &State, repository: &str) -> Result<Reply, Problem> {
    let shelf = state.shelf();
    let tags = shelf.tags(repository).ok_or_else(|| name_unknown(repository))?;
    Ok(Reply::json(200, &json!({ "name": repository, "tags": tags })))
}

fn read(request: &Received) -> Result<Manifest, Problem> {
    let media_type = request.header("content-type").unwrap_or_default();
    if request.body.len() > BYTES_MAX {
        return Err(invalid("it is larger than 4 MiB"));
    }
    let document: Value =
        serde_json::from_slice(&request.body).map_err(|error| invalid(&error.to_string()))?;
    if media_type != IMAGE {
        return Err(invalid(&format!("this registry takes {IMAGE} and not \"{media_type}\"")));
    }
    if document.get("schemaVersion") != Some(&json!(2)) {
        return Err(invalid("schemaVersion must be 2"));
    }
    if document.get("mediaType").is_some_and(|told| told != media_type) {
        return Err(invalid("mediaType is not what the content type says"));
    }
    let digest = Digest::of(&request.body);
    Ok(Manifest { digest, media_type: media_type.to_owned(), bytes: request.body.clone() })
}

/// The configuration and every layer must be in the repository, with the size that the manifest says.
fn check_blobs(shelf: &Shelf, repository: &str, bytes: &[u8]) -> Result<(), Problem> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
    let layers =
        document.get("layers").and_then(Value::as_array).ok_or_else(|| invalid("there are no layers"))?;
    let config = document.get("config").ok_or_else(|| invalid("there is no config"))?;
    for descriptor in std::iter::once(config).chain(layers) {
        let named = descriptor.get("digest").and_then(Value::as_str).unwrap_or_default();
        let digest = Digest::parse(named).ok_or_else(|| invalid("a descriptor has no digest"))?;
        let Some(blob) = shelf.blob(repository, &digest) else {
            return Err(Problem::new(
                400,
                "MANIFEST_BLOB_UNKNOWN",
                format!("blob unknown to registry: {digest}"),
            ));
        };
        if descriptor.get("size") != Some(&json!(blob.len())) {
            return Err(Problem::new(400, "SIZE_INVALID", format!("{digest} has {} bytes", blob.len())));
        }
    }
    Ok(())
}

fn invalid(reason: &str) -> Problem {
    Problem::new(400, "MANIFEST_INVALID", format!("manifest invalid: {reason}"))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128 && bytes.next().is_some_and(word) && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'))
}
