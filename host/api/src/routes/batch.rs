//! Starting many executions in one request: each is authorized, checked and answered by itself, and all of them become
//! durable in one transaction.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use quantum_catalog::RunnablePlan;
use quantum_core::problem::Finding;
use quantum_engine::StartRequest;
use serde_json::Value;

use super::execute::{authorized_plan, check, conclude, prepare, priority_max};
use super::intents::reference;
use crate::auth::Session;
use crate::codes;
use crate::edge::RequestId;
use crate::extract::{Payload, typed};
use crate::idempotency::{Answer, Key};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{BatchBody, BatchItemBody, BatchRequest, BatchStart};

/// Starts of one request: their transaction is short then, and so is the wait for it. Over it: 422.
const STARTS_MAX: usize = 1_000;

/// Starts many executions, and says of each what became of it. After the answer they survive any crash.
#[utoipa::path(
    post, path = "/executions/batch", tag = "executions", request_body = BatchRequest,
    responses(
        (status = 202, body = BatchBody, description = "Every start is on its way"),
        (status = 207, body = BatchBody, description = "Some were refused, or all: each item says which, and why")
    )
)]
pub(crate) async fn start_executions(
    State(api): State<Api>,
    session: Session,
    Extension(RequestId(request)): Extension<RequestId>,
    payload: Payload,
) -> Result<Response, Problem> {
    let body = payload.json(&api.limits, api.limits.batch_bytes_max).await?;
    let items = read(typed(body.value)?)?;
    let mut batch = Batch { api: &api, session: &session, plans: HashMap::new() };
    let mut considered = Vec::with_capacity(items.len());
    for item in items {
        considered.push(batch.consider(item).await);
    }
    let answers = start(&api, considered).await;
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    let started = answers.len() - refused;
    let items = answers.into_iter().enumerate().map(|(at, answer)| told(at, answer, &request)).collect();
    let status = if refused == 0 { StatusCode::ACCEPTED } else { StatusCode::MULTI_STATUS };
    Ok((status, Json(BatchBody { started, refused, items })).into_response())
}

fn read(request: BatchRequest) -> Result<Vec<Value>, Problem> {
    if (1..=STARTS_MAX).contains(&request.items.len()) {
        return Ok(request.items);
    }
    let message = format!("a batch has 1 to {STARTS_MAX} starts, and this one has {}", request.items.len());
    let finding = Finding::error("/items", codes::INVALID_BODY.code, message.clone());
    Err(Problem::new(&codes::INVALID_BODY).detail(message).finding(finding))
}

/// What one start comes to before anything is written.
enum Considered {
    /// Refused, or a stored answer is given again.
    Settled(Result<Answer, Problem>),
    Start(Box<Ready>),
}

struct Ready {
    /// Taken when all of the batch are started.
    start: Option<StartRequest>,
    /// For when the start is durable.
    answer: Answer,
    key: Option<Key>,
}

/// Err of the outer result: the caller may not execute the intent; of the inner one: the intent cannot be executed.
type Planned = Result<Result<RunnablePlan, Problem>, Problem>;

struct Batch<'a> {
    api: &'a Api,
    session: &'a Session,
    /// By the text that names the intent: each is authorized and planned once.
    plans: HashMap<String, Planned>,
}

impl Batch<'_> {
    async fn consider(&mut self, item: Value) -> Considered {
        self.ready(item).await.unwrap_or_else(|problem| Considered::Settled(Err(problem)))
    }

    /// In the order of `execute`: authorized before a stored answer is given, which is given whatever the intent is by
    /// now.
    async fn ready(&mut self, item: Value) -> Result<Considered, Problem> {
        let asked = item.to_string();
        let item: BatchStart = typed(item)?;
        let plan = self.plan(&item.intent).await?;
        let route = "start_executions";
        let key = item.idempotency_key.as_deref();
        let key = key.map(|key| Key::new(key, self.session, route, &[asked.as_bytes()])).transpose()?;
        let request = item.request();
        check(&request, priority_max(self.api, self.session))?;
        if let Some(key) = &key
            && let Some(answer) = key.replay(self.api, self.session).await?
        {
            return Ok(Considered::Settled(Ok(answer)));
        }
        let (start, answer) = prepare(self.session, plan?, request, key.as_ref())?;
        Ok(Considered::Start(Box::new(Ready { start: Some(start), answer, key })))
    }

    async fn plan(&mut self, intent: &str) -> Planned {
        if let Some(plan) = self.plans.get(intent) {
            return plan.clone();
        }
        let planned = match reference(intent) {
            Ok(reference) => authorized_plan(self.api, self.session, &reference).await,
            Err(unreadable) => Err(unreadable),
        };
        let planned = planned.map(|(_, plan)| plan.map_err(Problem::from));
        self.plans.insert(intent.to_owned(), planned.clone());
        planned
    }
}

/// One answer for each, in order.
async fn start(api: &Api, mut considered: Vec<Considered>) -> Vec<Result<Answer, Problem>> {
    let requests = considered.iter_mut().filter_map(|one| match one {
        Considered::Settled(_) => None,
        Considered::Start(ready) => ready.start.take(),
    });
    let mut tried = api.services.engine.start_all(requests.collect()).await.into_iter();
    let answer = |one| match one {
        Considered::Settled(answer) => answer,
        Considered::Start(ready) => {
            let tried = tried.next().expect("the engine answers each request");
            conclude(tried, ready.answer, ready.key.as_ref())
        }
    };
    considered.into_iter().map(answer).collect()
}

fn told(at: usize, answer: Result<Answer, Problem>, request: &str) -> BatchItemBody {
    match answer {
        Ok(answer) => {
            let word = |key: &str| answer.body.get(key).and_then(Value::as_str).map(str::to_owned);
            BatchItemBody {
                status: answer.status,
                execution_id: word("execution_id"),
                intent: word("intent"),
                replayed: answer.replayed,
                problem: None,
            }
        }
        Err(problem) => {
            let problem = problem.within(&format!("/items/{at}"));
            let status = problem.status().as_u16();
            BatchItemBody { status, problem: Some(problem.body(request)), ..BatchItemBody::default() }
        }
    }
}
