//! Starting an execution, and waiting for it when the client wants to.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use quantum_catalog::{Error as CatalogError, IntentSummary, Purpose, RunnablePlan};
use quantum_core::id::ExecutionId;
use quantum_core::intent::IntentRef;
use quantum_core::limits::{LABEL_CHARS_MAX, LABELS_MAX};
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{IntentStatus, Operation};
use quantum_engine::{StartError, StartOptions, StartRequest, Started};
use serde_json::{Map, Value, json};

use super::intents::reference;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::codes;
use crate::extract::{Parameters, Payload, Segment, typed};
use crate::idempotency::{Answer, Key};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::{Api, new_uuid};
use crate::wire::{ExecuteRequest, ExecutionBody, StartedBody};

/// Starts an execution of an intent. After the answer it survives any crash.
#[utoipa::path(
    post, path = "/intents/{id}/execute", tag = "executions",
    request_body(content = Option<ExecuteRequest>, description = "Optional"),
    params(
        ("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app"),
        ("wait" = Option<String>, Query, description = "Wait for the end, up to 60s", example = "30s"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request again gives the same answer")
    ),
    responses(
        (status = 202, body = StartedBody, description = "On its way; Location names the execution"),
        (status = 200, body = ExecutionBody, description = "It ended while the client waited")
    )
)]
pub(crate) async fn execute_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    parameters.check(&["wait"], &[])?;
    let wait = read_wait(&parameters, api.limits.wait_max)?;
    let reference = reference(&id)?;
    let (status, plan) = authorized_plan(&api, &session, &reference).await?;
    let body = payload.optional_json(&api.limits, api.limits.input_bytes_max).await?;
    let bytes = body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
    let request = body.map(|body| typed(body.value)).transpose()?.unwrap_or_default();
    check(&request, priority_max(&api, &session))?;
    let key = Key::read(&headers, &session, "execute_intent", &[id.as_bytes(), &bytes])?;
    let replayed = match &key {
        Some(key) => key.replay(&api, &session).await?,
        None => None,
    };
    let answer = match replayed {
        Some(answer) => answer,
        None => start(&api, &session, plan?, request, key.as_ref()).await?,
    };
    let ended = match wait {
        Some(wait) => await_end(&api, &session, &answer, status, wait).await?,
        None => None,
    };
    Ok(ended.unwrap_or(answer).into_response())
}

/// Authorized before anything else is said, so that a stored answer is given even when the intent is paused by now.
pub(super) async fn authorized_plan(
    api: &Api,
    session: &Session,
    reference: &IntentRef,
) -> Result<(IntentStatus, Result<RunnablePlan, CatalogError>), Problem> {
    let intents = api.services.catalog.intents(&session.scope);
    let authorize = |summary: &IntentSummary| {
        api.authorize(session, Operation::IntentExecute, Subject::Intent(summary)).map(|()| summary.status)
    };
    let plan = intents.plan(reference, Purpose::Execute).await;
    let status = match &plan {
        Ok(plan) => authorize(&plan.intent)?,
        Err(_) => authorize(&intents.get(reference).await?.summary)?,
    };
    Ok((status, plan))
}

async fn start(
    api: &Api,
    session: &Session,
    plan: RunnablePlan,
    request: ExecuteRequest,
    key: Option<&Key>,
) -> Result<Answer, Problem> {
    let (start, answer) = prepare(session, plan, request, key)?;
    conclude(api.services.engine.start(start).await, answer, key)
}

/// A start, and the answer that is given when it is durable.
pub(super) fn prepare(
    session: &Session,
    plan: RunnablePlan,
    request: ExecuteRequest,
    key: Option<&Key>,
) -> Result<(StartRequest, Answer), Problem> {
    let id = ExecutionId::from_uuid(new_uuid(session.now()));
    let intent = quantum_catalog::version_id(&plan.intent);
    let answer = Answer {
        status: StatusCode::ACCEPTED.as_u16(),
        location: Some(format!("{BASE}/executions/{id}")),
        etag: None,
        body: json!(StartedBody { execution_id: id.to_string(), intent }),
        replayed: false,
    };
    let start = StartRequest {
        scope: session.scope.clone(),
        id,
        plan: plan.plan,
        encoded: plan.encoded,
        input: request.input.unwrap_or_else(|| Value::Object(Map::new())),
        labels: request.labels,
        requested_by: session.requester(),
        idempotency: key.map(|key| key.record(&answer, session.now())).transpose()?,
        options: StartOptions {
            dry_run: request.dry_run,
            priority: i32::from(request.priority),
            ..StartOptions::default()
        },
    };
    Ok((start, answer))
}

/// What is answered to a start that was tried.
pub(super) fn conclude(
    tried: Result<Started, StartError>,
    answer: Answer,
    key: Option<&Key>,
) -> Result<Answer, Problem> {
    match (tried, key) {
        (Ok(_), _) => Ok(answer),
        (Err(StartError::IdempotencyTaken(stored)), Some(key)) => key.answer(&stored),
        (Err(error), _) => Err(error.into()),
    }
}

/// The execution, when it ended in time and the caller may view it.
async fn await_end(
    api: &Api,
    session: &Session,
    answer: &Answer,
    intent_status: IntentStatus,
    wait: Duration,
) -> Result<Option<Answer>, Problem> {
    let id =
        answer.body.get("execution_id").and_then(Value::as_str).and_then(|id| ExecutionId::parse(id).ok());
    let Some(id) = id else { return Ok(None) };
    let engine = &api.services.engine;
    let last = tokio::select! {
        ended = engine.ended(&session.scope, &id) => ended?,
        () = tokio::time::sleep(wait) => return Ok(None),
        () = api.services.closing.cancelled() => return Ok(None),
    };
    let view = match last {
        Some(view) => Some(view),
        None => engine.view(&session.scope, &id).await?,
    };
    let row = engine.row(&session.scope, &id).await?;
    let Some((row, view)) = row.zip(view) else { return Ok(None) };
    if !api.allows(session, Operation::ExecutionView, Subject::Execution(&row, intent_status)) {
        return Ok(None);
    }
    let body = json!(ExecutionBody::new(&row, view));
    Ok(Some(Answer { status: StatusCode::OK.as_u16(), body, ..answer.clone() }))
}

/// The highest priority that the tenant's settings allow.
pub(super) fn priority_max(api: &Api, session: &Session) -> u8 {
    api.services.store.platform().settings_of(session.tenant()).limits.priority_max
}

pub(super) fn check(request: &ExecuteRequest, priority_max: u8) -> Result<(), Problem> {
    if request.priority > priority_max {
        let message = format!("a start in this tenant may have a priority from 0 to {priority_max}");
        let finding = Finding::error("/priority", codes::INVALID_BODY.code, message.clone());
        return Err(Problem::new(&codes::INVALID_BODY).detail(message).finding(finding));
    }
    let long = |text: &String| text.is_empty() || text.chars().count() > LABEL_CHARS_MAX;
    let bad = request.labels.iter().find(|(key, value)| long(key) || value.chars().count() > LABEL_CHARS_MAX);
    if request.labels.len() > LABELS_MAX || bad.is_some() {
        let message = format!(
            "at most {LABELS_MAX} labels, each key and value with at most {LABEL_CHARS_MAX} characters"
        );
        let finding = Finding::error("/labels", codes::INVALID_BODY.code, message.clone());
        return Err(Problem::new(&codes::INVALID_BODY).detail(message).finding(finding));
    }
    Ok(())
}

fn read_wait(parameters: &Parameters, max: Duration) -> Result<Option<Duration>, Problem> {
    let accepted = format!("a time such as 30s or 500ms, at most {}s", max.as_secs());
    parameters.read("wait", &accepted, |text| duration(text).filter(|wait| *wait <= max))
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u64 = digits.parse().ok()?;
    match text.get(digits.len()..)? {
        "ms" => Some(Duration::from_millis(count)),
        "" | "s" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_secs(count.checked_mul(60)?)),
        _ => None,
    }
}

/// Where an execution is found.
pub(super) fn location(id: &ExecutionId) -> [(http::HeaderName, String); 1] {
    [(header::LOCATION, format!("{BASE}/executions/{id}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_read() {
        for (text, millis) in [("30s", 30_000), ("500ms", 500), ("2", 2_000), ("1m", 60_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "-1s", "1h", "1.5s", "99999999999999999999m"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
