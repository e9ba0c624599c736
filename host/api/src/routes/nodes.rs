//! Nodes of the store: for administrators of the host.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::extract::Platform;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::NodeList;

/// The processes that work on this host's store, the oldest first.
#[utoipa::path(
    get, path = "/nodes", tag = "nodes",
    responses((status = 200, body = NodeList, description = "All of them, those that are gone until they are forgotten"))
)]
pub(crate) async fn list_nodes(State(api): State<Api>, platform: Platform) -> Result<Response, Problem> {
    let nodes = api.services.store.nodes().list(platform.context.now).await?;
    let items = nodes.into_iter().map(Into::into).collect();
    Ok(axum::Json(NodeList { items }).into_response())
}
