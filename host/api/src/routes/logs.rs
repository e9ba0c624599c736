//! What the steps of an execution said: log lines and progress.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_core::id::StepId;
use quantum_core::vocabulary::Operation;
use quantum_store::LogFilter;

use super::executions::visible;
use crate::auth::Session;
use crate::extract::{Parameters, Segment};
use crate::page::link;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::LogPage;

/// Log lines and progress reports, in the order of writing. Written in batches, so the newest come a moment later.
#[utoipa::path(
    get, path = "/executions/{id}/logs", tag = "executions",
    params(
        ("id" = String, Path, description = "execution_id"),
        ("step" = Option<String>, Query, description = "Of this step only"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = LogPage, description = "From the oldest"))
)]
pub(crate) async fn list_execution_logs(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["step", "limit", "page_token"], &[])?;
    let row = visible(&api, &session, &id, Operation::ExecutionView).await?;
    let paging = api.pages.read(&session, &format!("logs of {}", row.id), &parameters)?;
    let filter = LogFilter {
        execution: row.id,
        step: parameters.read("step", "the id of a step", |text| StepId::new(text).ok())?,
        after: paging.after.as_deref().and_then(|place| place.parse().ok()).unwrap_or(0),
        limit: paging.limit.saturating_add(1),
    };
    let mut lines = api.services.store.logs().list(&session.scope, &filter).await?;
    let more = lines.len() > paging.limit as usize;
    lines.truncate(paging.limit as usize);
    let last = lines.last().filter(|_| more).map(|line| line.number.to_string());
    let next_page_token = last.map(|place| api.pages.seal(&paging, &place));
    let items = lines.into_iter().map(Into::into).collect();
    let headers =
        link(&format!("{BASE}/executions/{}/logs", row.id), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(LogPage { items, next_page_token })).into_response())
}
