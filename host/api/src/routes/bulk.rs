//! One operation on all executions that a filter meets: each is authorized and answered by itself, and a dry run counts
//! them before anything is done.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream;
use http::StatusCode;
use quantum_core::id::IntentUid;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{IntentStatus, Operation};
use quantum_store::{ExecutionFilter, ExecutionRow, PageRequest};
use tokio::time::Instant;

use super::executions::intent_status;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::codes;
use crate::extract::{Payload, typed};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{BulkBody, BulkOperation, BulkRequest};

/// Executions that one request looks at: some seconds of work. The rest is for the next one.
const LIMIT_MAX: u32 = 10_000;
/// Executions that are read at a time.
const PAGE_ROWS: u32 = 500;
/// Executions that are changed at the same time: their commits share flushes, and others get their turn.
const AT_ONCE: usize = 64;
/// Ids in the answer: enough to look at some of them.
const IDS_MAX: usize = 100;

/// Does one operation to every execution that a filter meets, newest first, or counts them.
#[utoipa::path(
    post, path = "/executions/bulk", tag = "executions", request_body = BulkRequest,
    responses(
        (status = 200, body = BulkBody, description = "A dry run: what would be done"),
        (status = 202, body = BulkBody, description = "What was done is durable")
    )
)]
pub(crate) async fn change_executions(
    State(api): State<Api>,
    session: Session,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::ExecutionList, Subject::Tenant)?;
    let body = payload.json(&api.limits, api.limits.body_bytes_max).await?;
    let request: BulkRequest = typed(body.value)?;
    let limit = read_limit(&request)?;
    let filter = request.filter.open()?;
    let operation = serde_json::to_string(&request.operation).unwrap_or_default();
    let asked = serde_json::to_string(&request.filter).unwrap_or_default();
    let bound = [("operation", operation.as_str()), ("filter", asked.as_str())];
    let paging = api.pages.resume(&session, "bulk", &bound, request.page_token.as_deref())?;
    let status = if request.dry_run { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut bulk = Bulk { api: &api, session: &session, request: &request, intents: HashMap::new() };
    let (tally, next) = bulk.run(&filter, paging.after.clone(), limit).await?;
    let next_page_token = next.map(|place| api.pages.seal(&paging, &place));
    let body = BulkBody {
        operation: request.operation,
        dry_run: request.dry_run,
        matched: tally.done + tally.refusals.values().sum::<usize>(),
        done: tally.done,
        refused: tally.refusals.values().sum(),
        refusals: tally.refusals,
        execution_ids: tally.ids,
        more: next_page_token.is_some(),
        next_page_token,
    };
    Ok((status, Json(body)).into_response())
}

fn read_limit(request: &BulkRequest) -> Result<u32, Problem> {
    let limit = request.limit.unwrap_or(LIMIT_MAX);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    let message = format!("\"limit\" is a number from 1 to {LIMIT_MAX}");
    let finding = Finding::error("/limit", codes::INVALID_BODY.code, message.clone());
    Err(Problem::new(&codes::INVALID_BODY).detail(message).finding(finding))
}

#[derive(Default)]
struct Tally {
    done: usize,
    refusals: BTreeMap<String, usize>,
    ids: Vec<String>,
}

struct Bulk<'a> {
    api: &'a Api,
    session: &'a Session,
    request: &'a BulkRequest,
    intents: HashMap<IntentUid, IntentStatus>,
}

impl Bulk<'_> {
    /// Also gives the place to go on from; none: there is nothing behind it.
    async fn run(
        &mut self,
        filter: &ExecutionFilter,
        mut after: Option<String>,
        limit: u32,
    ) -> Result<(Tally, Option<String>), Problem> {
        // What does not fit into the time of a request is left for the next one, rather than answered with 503.
        let until = Instant::now() + self.api.limits.handler / 2;
        let mut tally = Tally::default();
        let mut left = limit;
        while left > 0 && Instant::now() < until {
            let page = PageRequest { limit: left.min(PAGE_ROWS), after };
            let page = self.api.services.engine.list(&self.session.scope, filter, page).await?;
            left -= u32::try_from(page.items.len()).unwrap_or(left).min(left);
            let rows = self.visible(page.items).await?;
            let changes: Vec<_> = rows.iter().map(|(row, intent)| self.change(row, *intent)).collect();
            let outcomes: Vec<_> = stream::iter(changes).buffered(AT_ONCE).collect().await;
            for ((row, _), outcome) in rows.iter().zip(outcomes) {
                tally.add(row, outcome);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok((tally, after))
    }

    async fn visible(
        &mut self,
        rows: Vec<ExecutionRow>,
    ) -> Result<Vec<(ExecutionRow, IntentStatus)>, Problem> {
        let mut visible = Vec::with_capacity(rows.len());
        for row in rows {
            let status = match self.intents.get(&row.intent_uid) {
                Some(status) => *status,
                None => intent_status(self.api, self.session, row.intent_uid).await?,
            };
            self.intents.insert(row.intent_uid, status);
            if self.api.allows(self.session, Operation::ExecutionView, Subject::Execution(&row, status)) {
                visible.push((row, status));
            }
        }
        Ok(visible)
    }

    async fn change(&self, row: &ExecutionRow, intent: IntentStatus) -> Result<(), Problem> {
        let BulkRequest { operation, dry_run, reason, .. } = self.request;
        self.api.authorize(self.session, operation.decided_as(), Subject::Execution(row, intent))?;
        if *dry_run {
            return Ok(());
        }
        let (engine, session) = (&self.api.services.engine, self.session);
        match operation {
            BulkOperation::Cancel => {
                Ok(engine.cancel(&session.scope, &row.id, session.requester(), reason.clone()).await?)
            }
        }
    }
}

impl Tally {
    fn add(&mut self, row: &ExecutionRow, outcome: Result<(), Problem>) {
        match outcome {
            Ok(()) => {
                self.done += 1;
                if self.ids.len() < IDS_MAX {
                    self.ids.push(row.id.to_string());
                }
            }
            Err(problem) => *self.refusals.entry(problem.code().code.to_owned()).or_default() += 1,
        }
    }
}
