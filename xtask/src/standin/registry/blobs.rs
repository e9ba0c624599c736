//! Blobs, by digest.

use super::State;
use super::digest::Digest;
use super::problem::Problem;
use crate::http::Reply;

pub const OCTETS: &str = "application/octet-stream";

pub fn get(state: &State, repository: &str, digest: &str) -> Result<Reply, Problem> {
    let digest = read(digest)?;
    let shelf = state.shelf();
    let bytes = shelf.blob(repository, &digest);
    let bytes = bytes
        .ok_or_else(|| Problem::new(404, "BLOB_UNKNOWN", format!("blob unknown to registry: {digest}")))?;
    Ok(Reply::bytes(200, OCTETS, bytes.to_vec()).header("docker-content-digest", digest.to_string()))
}

/// What a blob that was taken in is answered with.
pub fn created(repository: &str, digest: &Digest) -> Reply {
    Reply::empty(201)
        .header("location", format!("/v2/{repository}/blobs/{digest}"))
        .header("docker-content-digest", digest.to_string())
}

pub fn read(digest: &str) -> Result<Digest, Problem> {
    Digest::parse(digest)
        .ok_or_else(|| Problem::new(400, "DIGEST_INVALID", format!("{digest} is no sha256 digest")))
}
