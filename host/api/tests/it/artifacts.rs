//! Artifacts over HTTP: bytes in and out, names, and what is refused.

use quantum_core::vocabulary::Role;
use serde_json::json;

use crate::world::{A, Answer, B, World, send};

async fn put(world: &World, token: &str, query: &str, bytes: &[u8]) -> Answer {
    let request = world.request("POST", &format!("/api/v1/artifacts{query}")).bearer_auth(token);
    send(request.header("content-type", "application/x-tar").body(bytes.to_vec())).await
}

#[tokio::test]
async fn what_was_stored_is_found_by_its_name_and_by_its_digest() {
    let world = World::start().await;
    let token = world.admin(A);
    let stored = put(&world, &token, "?name=.%2Fapp", b"bytes of the app").await.is(201);
    let digest = stored.json()["digest"].as_str().unwrap().to_owned();
    assert_eq!(stored.header("location"), format!("/api/v1/artifacts/{digest}"));
    assert_eq!((stored.json()["name"].as_str(), stored.json()["size"].as_u64()), (Some("./app"), Some(16)));
    for reference in [".%2Fapp", &digest] {
        let request = world.request("GET", &format!("/api/v1/artifacts/{reference}")).bearer_auth(&token);
        let answer = send(request.header("accept", "text/html")).await.is(200);
        assert_eq!(answer.text, "bytes of the app");
        assert_eq!(answer.header("content-type"), "application/x-tar");
        assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        assert_eq!(answer.header("content-disposition"), "attachment");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let list = world.get(&token, "/api/v1/artifacts?prefix=.%2F").await.is(200).json();
    assert_eq!(list["items"][0]["name"], "./app");
    assert_eq!(list["items"][0]["created_by"], "admin-tenant-a");
}

#[tokio::test]
async fn a_name_moves_to_new_content_and_can_be_taken_away() {
    let world = World::start().await;
    let token = world.admin(A);
    let first = put(&world, &token, "?name=x", b"1").await.is(201).json()["digest"].clone();
    put(&world, &token, "?name=x", b"2").await.is(201);
    assert_eq!(world.get(&token, "/api/v1/artifacts/x").await.is(200).text, "2");
    let by_digest = format!("/api/v1/artifacts/{}", first.as_str().unwrap());
    assert_eq!(world.get(&token, &by_digest).await.is(200).text, "1");
    send(world.request("DELETE", "/api/v1/artifacts/x").bearer_auth(&token)).await.is(204);
    let gone = world.get(&token, "/api/v1/artifacts/x").await.problem();
    assert_eq!(gone, (404, "not-found".into()));
}

#[tokio::test]
async fn bad_names_types_and_parameters_are_refused_before_a_byte_is_kept() {
    let world = World::start().await;
    let token = world.admin(A);
    let refused = async |query: &str| put(&world, &token, query, b"x").await.problem();
    assert_eq!(refused("?name=").await, (422, "invalid-name".into()));
    assert_eq!(refused("?name=a%0Ab").await, (422, "invalid-name".into()));
    assert_eq!(refused("?name=sha256%3Aabc").await, (422, "invalid-name".into()));
    assert_eq!(refused("?nmae=x").await, (422, "invalid-parameter".into()));
    let odd = world.request("POST", "/api/v1/artifacts?name=x").bearer_auth(&token);
    let odd = send(odd.header("content-type", "tar").body("x")).await.problem();
    assert_eq!(odd, (422, "invalid-name".into()));
    let packed = world.request("POST", "/api/v1/artifacts?name=x").bearer_auth(&token);
    let packed = send(packed.header("content-encoding", "gzip").body("x")).await.problem();
    assert_eq!(packed, (415, "media-type".into()));
    assert_eq!(world.get(&token, "/api/v1/artifacts").await.is(200).json()["items"], json!([]));
    let no_digest = world.get(&token, "/api/v1/artifacts/sha256:abc").await.problem();
    assert_eq!(no_digest, (422, "invalid-name".into()));
}

#[tokio::test]
async fn another_tenants_bytes_are_not_found_by_their_digest() {
    let world = World::start().await;
    let (own, other) = (world.admin(A), world.admin(B));
    let digest = put(&world, &other, "?name=mine", b"marker").await.is(201).json()["digest"].clone();
    let digest = digest.as_str().unwrap();
    assert_eq!(
        world.get(&own, &format!("/api/v1/artifacts/{digest}")).await.problem(),
        (404, "not-found".into())
    );
    put(&world, &own, "?name=also", b"marker").await.is(201);
    assert_eq!(world.get(&own, &format!("/api/v1/artifacts/{digest}")).await.is(200).text, "marker");
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write() {
    let world = World::start().await;
    put(&world, &world.admin(A), "?name=x", b"1").await.is(201);
    let viewer = world.token("vera", A, &[Role::Viewer]);
    assert_eq!(world.get(&viewer, "/api/v1/artifacts/x").await.is(200).text, "1");
    assert_eq!(put(&world, &viewer, "?name=y", b"1").await.problem(), (403, "forbidden".into()));
    let delete = send(world.request("DELETE", "/api/v1/artifacts/x").bearer_auth(&viewer)).await.problem();
    assert_eq!(delete, (403, "forbidden".into()));
}
