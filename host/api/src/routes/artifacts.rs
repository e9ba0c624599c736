//! Artifacts: bytes between steps and from outside, stored once by their content and found by name or digest.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use http::{HeaderValue, StatusCode, header};
use quantum_catalog::{ArtifactFilter, Holder, Naming, StoredArtifact, Upload, check_artifact_name};
use quantum_core::vocabulary::Operation;
use quantum_store::{BlobReader, Error as StoreError};

use super::executions::visible;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::extract::{Parameters, Payload, Segment};
use crate::page::link;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{ArtifactBody, ArtifactPage};

/// Bytes that are read from the disk and sent at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Stores bytes. With a name, steps of the tenant find them by it; a name that is there moves to the new content.
#[utoipa::path(
    post, path = "/artifacts", tag = "artifacts",
    params(("name" = Option<String>, Query, description = "A name in the tenant; none: only the digest", example = "./app")),
    request_body(
        content = Vec<u8>, content_type = "application/octet-stream",
        description = "The bytes, of any media type, up to 1 GiB where the operator sets no other limit"
    ),
    responses((status = 201, body = ArtifactBody, description = "Durable; the same content is stored once"))
)]
pub(crate) async fn put_artifact(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
    payload: Payload,
) -> Result<Response, Problem> {
    parameters.check(&["name"], &[])?;
    api.authorize(&session, Operation::ArtifactWrite, Subject::Tenant)?;
    let name = parameters.text("name").map(str::to_owned);
    name.as_deref().map(check_artifact_name).transpose()?;
    let artifacts = api.services.effects.artifacts(&session.scope);
    let mut pieces = payload.pieces(&api.limits)?;
    let mut upload: Upload = artifacts.create(pieces.media_type()).await?;
    while let Some(piece) = pieces.next().await? {
        upload.write(piece.into()).await?;
    }
    let by = session.caller.id.to_string();
    let naming = Naming { holder: Holder::Tenant, name: name.clone(), by: by.clone(), at: session.now() };
    let stored = upload.finish(naming).await?;
    tracing::info!(tenant = %session.tenant(), by, digest = %stored.digest, bytes = stored.bytes, "an artifact was stored");
    let location = [(header::LOCATION, format!("{BASE}/artifacts/{}", stored.digest))];
    let name = name.unwrap_or_else(|| stored.digest.to_string());
    Ok((StatusCode::CREATED, location, axum::Json(ArtifactBody::new(name, &stored, by))).into_response())
}

/// Names of the tenant, or of one execution, with what they hold.
#[utoipa::path(
    get, path = "/artifacts", tag = "artifacts",
    params(
        ("execution" = Option<String>, Query, description = "execution_id: names in this execution"),
        ("prefix" = Option<String>, Query, description = "Names that begin with it"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = ArtifactPage, description = "By name"))
)]
pub(crate) async fn list_artifacts(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["execution", "prefix", "limit", "page_token"], &[])?;
    api.authorize(&session, Operation::ArtifactView, Subject::Tenant)?;
    let holder = holder(&api, &session, &parameters).await?.unwrap_or(Holder::Tenant);
    let paging = api.pages.read(&session, "artifacts", &parameters)?;
    let filter = ArtifactFilter { holder, prefix: parameters.text("prefix").map(str::to_owned) };
    let page = api.services.effects.artifacts(&session.scope).list(&filter, paging.request()).await?;
    let next_page_token = page.next.map(|place| api.pages.seal(&paging, &place));
    let items = page.items.into_iter().map(Into::into).collect();
    let headers = link(&format!("{BASE}/artifacts"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(ArtifactPage { items, next_page_token })).into_response())
}

/// The bytes of an artifact, by its name or its digest.
#[utoipa::path(
    get, path = "/artifacts/{id}", tag = "artifacts",
    params(
        ("id" = String, Path, description = "A name, percent-encoded, or a digest", example = "sha256:e3b0c442…"),
        ("execution" = Option<String>, Query, description = "execution_id: its names are looked at first")
    ),
    responses((
        status = 200, body = Vec<u8>, content_type = "application/octet-stream",
        description = "As they were stored, with their media type; ETag is the digest"
    ))
)]
pub(crate) async fn get_artifact(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["execution"], &[])?;
    api.authorize(&session, Operation::ArtifactView, Subject::Tenant)?;
    let execution = holder(&api, &session, &parameters).await?;
    let holders: Vec<Holder> = execution.into_iter().chain([Holder::Tenant]).collect();
    let artifacts = api.services.effects.artifacts(&session.scope);
    let found = artifacts.find(&id, &holders).await?.ok_or_else(Problem::not_found)?;
    let reader = artifacts.bytes(&found, 0).await?;
    Ok((headers(&found), Body::from_stream(pieces(reader))).into_response())
}

/// Takes a name of the tenant away. The bytes go, some time later, once nothing names them.
#[utoipa::path(
    delete, path = "/artifacts/{id}", tag = "artifacts",
    params(("id" = String, Path, description = "A name, percent-encoded, or the digest of what has no name")),
    responses((status = 204, description = "The name is free"))
)]
pub(crate) async fn delete_artifact(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::ArtifactWrite, Subject::Tenant)?;
    let artifacts = api.services.effects.artifacts(&session.scope);
    artifacts.remove(Holder::Tenant, &id, session.now()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The execution of the query, when the caller may view it.
async fn holder(api: &Api, session: &Session, parameters: &Parameters) -> Result<Option<Holder>, Problem> {
    let Some(id) = parameters.text("execution") else { return Ok(None) };
    let row = visible(api, session, id, Operation::ExecutionView).await?;
    Ok(Some(Holder::Execution(row.id)))
}

/// Whatever type it says it is, no browser shows it as a page of this host.
fn headers(artifact: &StoredArtifact) -> [(http::HeaderName, HeaderValue); 4] {
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    let media_type = artifact.media_type.as_deref().unwrap_or("application/octet-stream");
    [
        (header::CONTENT_TYPE, value(media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(artifact.bytes)),
        (header::ETAG, value(&format!("\"{}\"", artifact.digest))),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
    ]
}

/// A read that fails breaks the connection, so that nobody takes a part for the whole.
fn pieces(reader: BlobReader) -> impl Stream<Item = Result<Vec<u8>, StoreError>> {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.read(PIECE_BYTES).await {
            Ok(piece) if piece.is_empty() => None,
            Ok(piece) => Some((Ok(piece), Some(reader))),
            Err(error) => {
                tracing::error!(%error, "an artifact cannot be read");
                Some((Err(error), None))
            }
        }
    })
}
