//! What people tell executions that are under way, and how ended ones run again.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use quantum_catalog::Purpose;
use quantum_core::id::{ExecutionId, StepId};
use quantum_core::intent::IntentRef;
use quantum_core::limits::SIGNAL_BYTES_MAX;
use quantum_core::machine::Command;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{IntentStatus, Operation};
use quantum_engine::ReplayRequest;
use quantum_store::ExecutionRow;
use serde_json::{Value, json};

use super::execute::location;
use super::executions::visible;
use crate::auth::Session;
use crate::codes;
use crate::extract::{Payload, Segment, typed};
use crate::idempotency::{Answer, Key};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::{Api, new_uuid};
use crate::wire::{ApproveRequest, ExecutionBody, ReasonRequest, ReplayBody, StartedBody, StepDetailBody};

/// Asks for an execution to be cancelled: no further step starts, running ones are told.
#[utoipa::path(
    post, path = "/executions/{id}/cancel", tag = "executions",
    request_body(content = Option<ReasonRequest>, description = "Optional"),
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 202, body = ExecutionBody, description = "The wish is durable"))
)]
pub(crate) async fn cancel_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionCancel).await?;
    let ReasonRequest { reason } = optional(&api, payload).await?;
    api.services.engine.cancel(&session.scope, &row.id, session.requester(), reason).await?;
    shown(&api, &session, &row, StatusCode::ACCEPTED).await
}

/// Lets running attempts end and starts nothing new until it is resumed.
#[utoipa::path(
    post, path = "/executions/{id}/pause", tag = "executions",
    request_body(content = Option<ReasonRequest>, description = "Optional"),
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 200, body = ExecutionBody, description = "It is paused"))
)]
pub(crate) async fn pause_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionPause).await?;
    let ReasonRequest { reason } = optional(&api, payload).await?;
    let command = Command::Pause { requested_by: session.requester(), reason };
    operate(&api, &session, &row, command).await
}

/// Lets a paused execution go on. The time that it was paused does not count for its timeout.
#[utoipa::path(
    post, path = "/executions/{id}/resume", tag = "executions",
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 200, body = ExecutionBody, description = "It goes on"))
)]
pub(crate) async fn resume_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionResume).await?;
    operate(&api, &session, &row, Command::Resume { requested_by: session.requester() }).await
}

/// Gives a payload to the step that waits for the signal.
#[utoipa::path(
    post, path = "/executions/{id}/signals/{name}", tag = "executions",
    request_body(content = Option<Object>, description = "Any JSON; null when there is none"),
    params(
        ("id" = String, Path, description = "execution_id"),
        ("name" = String, Path, description = "name of the signal", example = "go")
    ),
    responses((status = 200, body = ExecutionBody, description = "The step has its payload"))
)]
pub(crate) async fn signal_execution(
    State(api): State<Api>,
    session: Session,
    Segment((id, name)): Segment<(String, String)>,
    payload: Payload,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionSignal).await?;
    let body = payload.optional_json(&api.limits, SIGNAL_BYTES_MAX).await?;
    let payload = body.map_or(Value::Null, |body| body.value);
    operate(&api, &session, &row, Command::Signal { name, payload, sent_by: session.requester() }).await
}

/// Approves a step, or refuses it. Never by whoever started the execution, and once a person.
#[utoipa::path(
    post, path = "/executions/{id}/approve", tag = "executions",
    request_body(content = Option<ApproveRequest>, description = "Optional"),
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 200, body = ExecutionBody, description = "The answer counts"))
)]
pub(crate) async fn approve_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    payload: Payload,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionApprove).await?;
    let request: ApproveRequest = optional(&api, payload).await?;
    let step = request.step.as_deref().map(|step| step_id(step, "/step")).transpose()?;
    let command = Command::Approve {
        step,
        element: request.element,
        approved: request.approved,
        approved_by: session.requester(),
        comment: request.comment,
    };
    operate(&api, &session, &row, command).await
}

/// Runs failed, cancelled and parked steps again; completed ones keep their results.
#[utoipa::path(
    post, path = "/executions/{id}/restart", tag = "executions",
    params(("id" = String, Path, description = "execution_id")),
    responses((status = 202, body = ExecutionBody, description = "It runs again"))
)]
pub(crate) async fn restart_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionRestart).await?;
    api.services.engine.restart(&session.scope, &row.id, session.requester()).await?;
    shown(&api, &session, &row, StatusCode::ACCEPTED).await
}

/// Starts a new execution of an ended one: from its first step, or from any other with the results before it.
#[utoipa::path(
    post, path = "/executions/{id}/replay", tag = "executions",
    request_body(content = Option<ReplayBody>, description = "Optional"),
    params(
        ("id" = String, Path, description = "execution_id of the one to replay"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request again gives the same answer")
    ),
    responses((status = 202, body = StartedBody, description = "The new one is on its way"))
)]
pub(crate) async fn replay_execution(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionReplay).await?;
    let body = payload.optional_json(&api.limits, api.limits.input_bytes_max).await?;
    let bytes = body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
    let request: ReplayBody = body.map(|body| typed(body.value)).transpose()?.unwrap_or_default();
    let key = Key::read(&headers, &session, "replay_execution", &[id.as_bytes(), &bytes])?;
    if let Some(key) = &key
        && let Some(answer) = key.replay(&api, &session).await?
    {
        return Ok(answer.into_response());
    }
    Ok(replay(&api, &session, &row, request, key.as_ref()).await?.into_response())
}

async fn replay(
    api: &Api,
    session: &Session,
    row: &ExecutionRow,
    request: ReplayBody,
    key: Option<&Key>,
) -> Result<Answer, Problem> {
    let reference = IntentRef::Uid(row.intent_uid);
    let status = api.services.catalog.intents(&session.scope).get(&reference).await?.summary.status;
    if status == IntentStatus::Paused {
        return Err(Problem::new(&codes::INTENT_PAUSED).detail("the intent takes no executions now"));
    }
    let from = request.from_step.as_deref().map(|step| step_id(step, "/from_step")).transpose()?;
    let version = request.version.unwrap_or(row.intent_version);
    let plan = if version == row.intent_version {
        None
    } else {
        let reference = IntentRef::Version(row.intent_name.clone(), version);
        let plan = api.services.catalog.intents(&session.scope).plan(&reference, Purpose::Execute).await?;
        Some((plan.plan, plan.encoded))
    };
    let id = ExecutionId::from_uuid(new_uuid(session.now()));
    let answer = Answer {
        status: StatusCode::ACCEPTED.as_u16(),
        location: Some(format!("{BASE}/executions/{id}")),
        etag: None,
        body: json!(StartedBody {
            execution_id: id.to_string(),
            intent: format!("{}-v{version}", row.intent_name)
        }),
        replayed: false,
    };
    let replay = ReplayRequest {
        scope: session.scope.clone(),
        id,
        of: row.id,
        from,
        plan,
        input: request.input,
        requested_by: session.requester(),
        idempotency: key.map(|key| key.record(&answer, session.now())).transpose()?,
    };
    match (api.services.engine.replay(replay).await, key) {
        (Ok(_), _) => Ok(answer),
        (Err(quantum_engine::StartError::IdempotencyTaken(stored)), Some(key)) => key.answer(&stored),
        (Err(error), _) => Err(error.into()),
    }
}

/// One step with what it waits for, its elements and its compensation.
#[utoipa::path(
    get, path = "/executions/{id}/steps/{step}", tag = "executions",
    params(
        ("id" = String, Path, description = "execution_id"),
        ("step" = String, Path, description = "id of the step", example = "push")
    ),
    responses((status = 200, body = StepDetailBody, description = "As its durable events make it"))
)]
pub(crate) async fn get_execution_step(
    State(api): State<Api>,
    session: Session,
    Segment((id, step)): Segment<(String, String)>,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionView).await?;
    let found = api.services.engine.step(&session.scope, &row.id, &step).await?;
    let (step, elements) = found.ok_or_else(Problem::not_found)?;
    Ok(axum::Json(StepDetailBody::new(step, elements)).into_response())
}

async fn operate(
    api: &Api,
    session: &Session,
    row: &ExecutionRow,
    command: Command,
) -> Result<Response, Problem> {
    api.services.engine.operate(&session.scope, &row.id, command).await?;
    shown(api, session, row, StatusCode::OK).await
}

/// Whoever may change an execution sees what it is after that.
async fn shown(
    api: &Api,
    session: &Session,
    row: &ExecutionRow,
    status: StatusCode,
) -> Result<Response, Problem> {
    let view = api.services.engine.view(&session.scope, &row.id).await?.ok_or_else(Problem::not_found)?;
    Ok((status, location(&row.id), axum::Json(ExecutionBody::new(row, view))).into_response())
}

async fn optional<T: serde::de::DeserializeOwned + Default>(
    api: &Api,
    payload: Payload,
) -> Result<T, Problem> {
    let body = payload.optional_json(&api.limits, api.limits.body_bytes_max).await?;
    Ok(body.map(|body| typed(body.value)).transpose()?.unwrap_or_default())
}

fn step_id(text: &str, pointer: &str) -> Result<StepId, Problem> {
    StepId::new(text).map_err(|error| {
        let finding = Finding::error(pointer, codes::INVALID_BODY.code, error.to_string());
        Problem::new(&codes::INVALID_BODY).detail(finding.message.clone()).finding(finding)
    })
}
