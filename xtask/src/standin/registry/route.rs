//! From a request to what answers it.

use serde_json::json;

use super::access::Right;
use super::problem::{Problem, name_unknown, unsupported};
use super::{State, blobs, manifests, uploads};
use crate::http::{Received, Reply};

/// Where a path leads, within a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'a> {
    Uploads,
    Upload(&'a str),
    Blob(&'a str),
    Manifest(&'a str),
    Tags,
}

pub fn answer(state: &State, request: &Received) -> Result<Reply, Problem> {
    let method = request.method.as_str();
    match request.path.as_str() {
        "/token" if method == "GET" => return state.access.token(request),
        "/v2" | "/v2/" => {
            state.access.check_version(request)?;
            return Ok(Reply::json(200, &json!({})));
        }
        _ => {}
    }
    let segments = request.segments();
    let (repository, place) = split(&segments).ok_or_else(|| name_unknown(&request.path))?;
    let right = if matches!(method, "GET" | "HEAD") { Right::Pull } else { Right::Push };
    state.access.check(request, &repository, right)?;
    match (method, place) {
        ("POST", Place::Uploads) => uploads::start(state, request, &repository),
        ("GET", Place::Upload(id)) => uploads::status(state, &repository, id),
        ("PATCH", Place::Upload(id)) => uploads::append(state, request, &repository, id),
        ("PUT", Place::Upload(id)) => uploads::finish(state, request, &repository, id),
        ("DELETE", Place::Upload(id)) => uploads::cancel(state, &repository, id),
        ("GET" | "HEAD", Place::Blob(digest)) => blobs::get(state, &repository, digest),
        ("GET" | "HEAD", Place::Manifest(reference)) => manifests::get(state, &repository, reference),
        ("PUT", Place::Manifest(reference)) => manifests::put(state, request, &repository, reference),
        ("GET", Place::Tags) => manifests::tags(state, &repository),
        _ => Err(unsupported()),
    }
}

/// Repositories have slashes in their names, so the path is read from its end.
fn split<'a>(segments: &[&'a str]) -> Option<(String, Place<'a>)> {
    let ["v2", rest @ ..] = segments else { return None };
    let (name, place) = match rest {
        [name @ .., "blobs", "uploads", ""] | [name @ .., "blobs", "uploads"] => (name, Place::Uploads),
        [name @ .., "blobs", "uploads", id] => (name, Place::Upload(id)),
        [name @ .., "blobs", digest] => (name, Place::Blob(digest)),
        [name @ .., "manifests", reference] => (name, Place::Manifest(reference)),
        [name @ .., "tags", "list"] => (name, Place::Tags),
        _ => return None,
    };
    let is_name = !name.is_empty() && name.iter().all(|part| is_component(part));
    is_name.then(|| (name.join("/"), place))
}

fn is_component(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-');
    let edge = |byte: Option<u8>| byte.is_some_and(alphanumeric);
    edge(part.bytes().next()) && edge(part.bytes().last()) && part.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<(&str, Place<'_>)>) {
        let segments: Vec<_> = path.split('/').skip(1).collect();
        assert_eq!(split(&segments), expected.map(|(name, place)| (name.to_owned(), place)), "{path}");
    }

    #[test]
    fn a_path_is_read_from_its_end_because_names_have_slashes() {
        check("/v2/myapp/manifests/latest", Some(("myapp", Place::Manifest("latest"))));
        check("/v2/team/blobs/blobs/sha256:a", Some(("team/blobs", Place::Blob("sha256:a"))));
        check("/v2/a/b/blobs/uploads/", Some(("a/b", Place::Uploads)));
        check("/v2/a/b/blobs/uploads/7", Some(("a/b", Place::Upload("7"))));
        check("/v2/a/tags/list", Some(("a", Place::Tags)));
        for bad in
            ["/", "/v2/manifests/latest", "/v2/A/manifests/x", "/v2/../manifests/x", "/v2/a//tags/list"]
        {
            check(bad, None);
        }
    }
}
