//! Uploads of blobs: opened, continued piece by piece where the registry is, and closed with the digest.

use std::collections::BTreeMap;

use super::State;
use super::access::Right;
use super::blobs::{created, read};
use super::digest::Digest;
use super::problem::Problem;
use super::shelf::Upload;
use crate::http::{Received, Reply};

/// `POST`: mounts a blob of another repository, takes one whole, or opens an upload.
pub fn start(state: &State, request: &Received, repository: &str) -> Result<Reply, Problem> {
    if let (Some(digest), Some(from)) = (request.query("mount"), request.query("from")) {
        let digest = read(digest)?;
        // Without the right to pull there, it is as if it were not there.
        let may = state.access.may(request, from, Right::Pull);
        if may && state.shelf().mount(repository, &digest, from) {
            return Ok(created(repository, &digest));
        }
    }
    if let Some(digest) = request.query("digest") {
        return store(state, repository, &read(digest)?, request.body.clone());
    }
    let id = format!("{:032x}", fastrand::u128(..));
    let upload = Upload { repository: repository.to_owned(), bytes: Vec::new() };
    state.shelf().uploads.insert(id.clone(), upload);
    Ok(open(202, repository, &id, 0))
}

/// `GET`: how far it is.
pub fn status(state: &State, repository: &str, id: &str) -> Result<Reply, Problem> {
    let mut shelf = state.shelf();
    let received = find(&mut shelf.uploads, repository, id)?.bytes.len();
    Ok(open(204, repository, id, received))
}

/// `PATCH`: the next piece, which must begin where the registry is.
pub fn append(state: &State, request: &Received, repository: &str, id: &str) -> Result<Reply, Problem> {
    let mut shelf = state.shelf();
    let upload = find(&mut shelf.uploads, repository, id)?;
    extend(upload, request, repository, id)?;
    let received = upload.bytes.len();
    Ok(open(202, repository, id, received))
}

/// `PUT`: perhaps a last piece, and the digest of all.
pub fn finish(state: &State, request: &Received, repository: &str, id: &str) -> Result<Reply, Problem> {
    let digest = read(request.query("digest").unwrap_or_default())?;
    let bytes = {
        let mut shelf = state.shelf();
        extend(find(&mut shelf.uploads, repository, id)?, request, repository, id)?;
        shelf.uploads.remove(id).map(|upload| upload.bytes).unwrap_or_default()
    };
    store(state, repository, &digest, bytes)
}

/// `DELETE`.
pub fn cancel(state: &State, repository: &str, id: &str) -> Result<Reply, Problem> {
    let mut shelf = state.shelf();
    find(&mut shelf.uploads, repository, id)?;
    shelf.uploads.remove(id);
    Ok(Reply::empty(204))
}

/// What is not what its digest says is thrown away.
fn store(state: &State, repository: &str, expected: &Digest, bytes: Vec<u8>) -> Result<Reply, Problem> {
    let found = Digest::of(&bytes);
    if found != *expected {
        let message = format!("provided digest did not match uploaded content: it is {found}");
        return Err(Problem::new(400, "DIGEST_INVALID", message));
    }
    Ok(created(repository, &state.shelf().put_blob(repository, bytes)))
}

fn extend(upload: &mut Upload, request: &Received, repository: &str, id: &str) -> Result<(), Problem> {
    let received = upload.bytes.len();
    if let Some(range) = request.header("content-range") {
        let ends =
            range.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        let fits = |(first, last): (usize, usize)| {
            first == received && last.checked_sub(first).is_some_and(|d| d + 1 == request.body.len())
        };
        if !ends.is_some_and(fits) {
            let message = format!("the range {range} does not continue the {received} bytes that are there");
            return Err(Problem::new(416, "BLOB_UPLOAD_INVALID", message)
                .header("location", location(repository, id))
                .header("range", range_of(received)));
        }
    }
    upload.bytes.extend_from_slice(&request.body);
    Ok(())
}

fn find<'s>(
    uploads: &'s mut BTreeMap<String, Upload>,
    repository: &str,
    id: &str,
) -> Result<&'s mut Upload, Problem> {
    let upload = uploads.get_mut(id).filter(|upload| upload.repository == repository);
    upload.ok_or_else(|| Problem::new(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"))
}

fn open(status: u16, repository: &str, id: &str, received: usize) -> Reply {
    Reply::empty(status)
        .header("location", location(repository, id))
        .header("docker-upload-uuid", id)
        .header("range", range_of(received))
}

/// With a query, as registries do that keep the upload's state in it: clients must not lose it.
fn location(repository: &str, id: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}?state=open")
}

fn range_of(received: usize) -> String {
    format!("0-{}", received.saturating_sub(1))
}
