//! Changes of an intent: each one names what it is based on, and makes a version.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use quantum_catalog::{Act, Activation, Written};
use quantum_core::intent::IntentRef;
use quantum_core::vocabulary::{Environment, Operation};

use super::intents::{act, activation, answer, authorize_environment, target_environment, visible};
use crate::auth::Session;
use crate::etag;
use crate::extract::{Parameters, Payload, Segment};
use crate::idempotency::Answer;
use crate::problem::Problem;
use crate::state::Api;
use crate::step_gate::step_findings;
use crate::wire::{DocumentBody, IntentBody};

/// Makes the document the next version.
#[utoipa::path(
    put, path = "/intents/{id}", tag = "intents", request_body = DocumentBody,
    params(
        ("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app"),
        ("draft" = Option<bool>, Query, description = "Do not make it the active version"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = IntentBody, description = "The version that the document stands in now"))
)]
pub(crate) async fn replace_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    let change = Change::read(&api, &session, &id, &parameters, &headers).await?;
    let body = payload.json(&api.limits, api.limits.document_bytes_max).await?;
    change.authorize_move(&api, &session, target_environment(&api, &session, &body.value))?;
    let intents = api.services.catalog.intents(&session.scope);
    let written = intents.replace(&change.reference, &body.value, change.activation, change.act).await?;
    Ok(changed(&api, &session, written).into_response())
}

/// Changes the document by a merge patch (RFC 7396) and makes it the next version.
#[utoipa::path(
    patch, path = "/intents/{id}", tag = "intents",
    request_body(content = Object, description = "Merge patch of description, labels and definition",
                 example = json!({ "definition": { "target": "staging" } })),
    params(
        ("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app"),
        ("draft" = Option<bool>, Query, description = "Do not make it the active version"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = IntentBody, description = "The version that the document stands in now"))
)]
pub(crate) async fn update_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    let change = Change::read(&api, &session, &id, &parameters, &headers).await?;
    let body = payload.json(&api.limits, api.limits.document_bytes_max).await?;
    if body.value.pointer("/definition/target").is_some() {
        change.authorize_move(&api, &session, target_environment(&api, &session, &body.value))?;
    }
    let intents = api.services.catalog.intents(&session.scope);
    let written = intents.merge_patch(&change.reference, &body.value, change.activation, change.act).await?;
    Ok(changed(&api, &session, written).into_response())
}

/// Archives the intent: read-only from now on. Its name is not free again.
#[utoipa::path(
    delete, path = "/intents/{id}", tag = "intents",
    params(
        ("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on, or *")
    ),
    responses((status = 200, body = IntentBody, description = "The archived intent"))
)]
pub(crate) async fn delete_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (reference, _) = visible(&api, &session, &id, Operation::IntentArchive).await?;
    let act = act(&session, etag::required(&headers)?);
    let intent = api.services.catalog.intents(&session.scope).archive(&reference, act).await?;
    Ok(answer(200, intent, &[]).into_response())
}

/// A change of a document, authorized.
struct Change {
    reference: IntentRef,
    environment: Environment,
    activation: Activation,
    act: Act,
}

impl Change {
    async fn read(
        api: &Api,
        session: &Session,
        id: &str,
        parameters: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        parameters.check(&["draft"], &[])?;
        let (reference, intent) = visible(api, session, id, Operation::IntentUpdate).await?;
        Ok(Self {
            reference,
            environment: intent.summary.version.environment,
            activation: activation(parameters)?,
            act: act(session, etag::required(headers)?),
        })
    }

    /// Moving an intent to another environment is like creating it there.
    fn authorize_move(&self, api: &Api, session: &Session, to: Environment) -> Result<(), Problem> {
        if to == self.environment { Ok(()) } else { authorize_environment(api, session, to) }
    }
}

fn changed(api: &Api, session: &Session, written: Written) -> Answer {
    let Written { intent, mut findings, .. } = written;
    findings.extend(step_findings(api, session, &intent.definition, intent.summary.version.environment));
    answer(200, intent, &findings)
}
