//! Executions: find and read.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_catalog::{Error as CatalogError, PageRequest};
use quantum_core::id::{ExecutionId, IntentName, IntentUid};
use quantum_core::intent::IntentRef;
use quantum_core::vocabulary::{ExecutionStatus, IntentStatus, Operation};
use quantum_store::{ExecutionFilter, ExecutionRow};

use super::intents::read_label;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::extract::{Parameters, Segment};
use crate::page::{List, link};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{ExecutionBody, ExecutionPage, ExecutionSummaryBody};

/// Reads of the store for one page at most: what the caller may not view makes a page shorter then, never endless.
const READS_MAX: usize = 20;

/// Finds executions, newest first.
#[utoipa::path(
    get, path = "/executions", tag = "executions",
    params(
        ("intent" = Option<String>, Query, description = "name or uid of the intent", example = "deploy-web-app"),
        ("status" = Option<String>, Query, description = "queued, running, paused, parked, compensating, succeeded, failed or cancelled"),
        ("label" = Option<String>, Query, description = "key=value", example = "team=web"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = ExecutionPage, description = "Those that the caller may view"))
)]
pub(crate) async fn list_executions(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["intent", "status", "label", "limit", "page_token"], &[])?;
    api.authorize(&session, Operation::ExecutionList, Subject::Tenant)?;
    let filter = read_filter(&parameters)?;
    let paging = api.pages.read(&session, "executions", &parameters)?;
    let PageRequest { limit, mut after } = paging.request();
    let mut items: Vec<ExecutionSummaryBody> = Vec::new();
    let mut statuses = HashMap::new();
    let wanted = limit as usize;
    for _ in 0..READS_MAX {
        let missing = u32::try_from(wanted - items.len()).unwrap_or(limit);
        let request = PageRequest { limit: missing, after };
        let page = api.services.engine.list(&session.scope, &filter, request).await?;
        for row in &page.items {
            let status = match statuses.get(&row.intent_uid) {
                Some(status) => *status,
                None => intent_status(&api, &session, row.intent_uid).await?,
            };
            statuses.insert(row.intent_uid, status);
            if api.allows(&session, Operation::ExecutionView, Subject::Execution(row, status)) {
                items.push(row.into());
            }
        }
        after = page.next;
        if after.is_none() || items.len() == wanted {
            break;
        }
    }
    let next_page_token = after.map(|place| api.pages.seal(&paging, &place));
    let headers = link(&format!("{BASE}/executions"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(List { items, next_page_token })).into_response())
}

/// The execution with its steps, results and bill.
#[utoipa::path(
    get, path = "/executions/{id}", tag = "executions",
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 200, body = ExecutionBody, description = "As its durable events make it"))
)]
pub(crate) async fn get_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionView).await?;
    let view = api.services.engine.view(&session.scope, &row.id).await?.ok_or_else(Problem::not_found)?;
    Ok(axum::Json(ExecutionBody::new(&row, view)).into_response())
}

/// The execution's row, when the caller may do this to it.
pub(super) async fn visible(
    api: &Api,
    session: &Session,
    id: &str,
    operation: Operation,
) -> Result<ExecutionRow, Problem> {
    let id = ExecutionId::parse(id).map_err(|_| Problem::not_found())?;
    let row = api.services.engine.row(&session.scope, &id).await?.ok_or_else(Problem::not_found)?;
    let status = intent_status(api, session, row.intent_uid).await?;
    api.authorize(session, operation, Subject::Execution(&row, status))?;
    Ok(row)
}

/// An intent that is gone takes nothing more, like an archived one.
pub(super) async fn intent_status(
    api: &Api,
    session: &Session,
    uid: IntentUid,
) -> Result<IntentStatus, Problem> {
    match api.services.catalog.intents(&session.scope).get(&IntentRef::Uid(uid)).await {
        Ok(intent) => Ok(intent.summary.status),
        Err(CatalogError::NotFound { .. }) => Ok(IntentStatus::Archived),
        Err(error) => Err(error.into()),
    }
}

fn read_filter(parameters: &Parameters) -> Result<ExecutionFilter, Problem> {
    let mut filter = ExecutionFilter {
        status: parameters.read(
            "status",
            "queued, running, paused, parked, compensating, succeeded, failed or cancelled",
            ExecutionStatus::parse,
        )?,
        label: parameters.read("label", "key=value", read_label)?,
        ..ExecutionFilter::default()
    };
    if let Some(uid) = parameters.text("intent").and_then(|text| IntentUid::parse(text).ok()) {
        filter.intent_uid = Some(uid);
    } else {
        let accepted = "the name or the uid of an intent";
        filter.intent_name = parameters.read("intent", accepted, |text| IntentName::new(text).ok())?;
    }
    Ok(filter)
}
