//! The OpenAPI document. It names no tenant's things, so everybody may read it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::Api;

/// This API as an OpenAPI 3.1 document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "host", security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1"))
)]
pub(crate) async fn get_document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.document.clone()).into_response()
}
