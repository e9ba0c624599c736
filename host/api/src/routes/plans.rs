//! Looking before acting: validate a document, plan an intent.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_catalog::Purpose;
use quantum_core::plan::PlanDocument;
use quantum_core::port::ActionDirectory;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Operation;

use super::intents::{authorize_environment, target_environment, visible};
use crate::auth::Session;
use crate::extract::{Payload, Segment};
use crate::problem::Problem;
use crate::state::Api;
use crate::step_gate::{step_findings, would_start};
use crate::wire::{DocumentBody, PlanBlueprint, PlanBody, PlanStepBody, ValidationBody, findings};

/// Everything that is wrong with a document; nothing is stored.
#[utoipa::path(
    post, path = "/intents/validate", tag = "intents", request_body = DocumentBody,
    responses((status = 200, body = ValidationBody, description = "All findings, also when it is not valid"))
)]
pub(crate) async fn validate_intent(
    State(api): State<Api>,
    session: Session,
    payload: Payload,
) -> Result<Response, Problem> {
    let body = payload.json(&api.limits, api.limits.document_bytes_max).await?;
    let environment = target_environment(&api, &session, &body.value);
    authorize_environment(&api, &session, environment)?;
    let checked = api.services.catalog.intents(&session.scope).validate(&body.value).await?;
    let mut found = checked.findings;
    if let Some(document) = &checked.document {
        found.extend(step_findings(&api, &session, &document.source, environment));
    }
    let valid = !found.iter().any(Finding::is_error);
    Ok(axum::Json(ValidationBody { valid, findings: findings(&found) }).into_response())
}

/// What an execution would do, with the decision that each step would get for the caller now.
#[utoipa::path(
    post, path = "/intents/{id}/plan", tag = "intents",
    params(("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app")),
    responses((status = 200, body = PlanBody, description = "The plan; nothing is run"))
)]
pub(crate) async fn plan_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let (reference, intent) = visible(&api, &session, &id, Operation::IntentPlan).await?;
    let plan = api.services.catalog.intents(&session.scope).plan(&reference, Purpose::Preview).await?;
    let document = &plan.plan.document;
    // A blueprint's steps have no place in the intent's document; each step's decision says the same.
    let denied = step_findings(&api, &session, &intent.definition, document.environment);
    let blueprint = document.blueprint_revision;
    let body = PlanBody {
        intent: format!("{}-v{}", document.intent.name, document.intent.version),
        blueprint: blueprint
            .map(|revision| PlanBlueprint { name: document.intent.name.to_string(), revision }),
        environment: document.environment.as_str(),
        order: document.order,
        levels: document.levels().iter().map(|level| ids(document, level)).collect(),
        steps: steps(&api, &session, document),
        findings: findings(&denied),
    };
    Ok(axum::Json(body).into_response())
}

fn steps(api: &Api, session: &Session, document: &PlanDocument) -> Vec<PlanStepBody> {
    let actions = api.services.catalog.directory().snapshot();
    let step = |step: &quantum_core::plan::PlannedStep| {
        let component = step.action.component();
        let entry =
            component.and_then(|action| actions.pinned(session.tenant(), &action.component, &action.name));
        let body = PlanStepBody::new(step, ids(document, &step.waits_for), entry.as_deref());
        let verdict = entry.map(|entry| would_start(api, session, &step.id, document.environment, entry));
        PlanStepBody { decision: verdict.map(Into::into), ..body }
    };
    document.steps.iter().map(step).collect()
}

fn ids(document: &PlanDocument, positions: &[usize]) -> Vec<String> {
    positions.iter().filter_map(|at| document.steps.get(*at)).map(|step| step.id.to_string()).collect()
}
