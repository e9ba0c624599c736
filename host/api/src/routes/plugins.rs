//! The actions that a tenant's intents can use.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_core::vocabulary::Operation;

use crate::auth::Session;
use crate::authorize::Subject;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{PluginBody, PluginList};

/// The plugins whose actions resolve by name: bundled and installed ones.
#[utoipa::path(
    get, path = "/plugins", tag = "plugins",
    responses((status = 200, body = PluginList, description = "With the schemas of their actions"))
)]
pub(crate) async fn list_plugins(State(api): State<Api>, session: Session) -> Result<Response, Problem> {
    api.authorize(&session, Operation::PluginList, Subject::Tenant)?;
    let plugins = api.services.catalog.installations(&session.scope).list().await?;
    let items = plugins.iter().filter(|plugin| plugin.active).map(|plugin| PluginBody::from(plugin.as_ref()));
    Ok(axum::Json(PluginList { items: items.collect(), next_page_token: None }).into_response())
}
