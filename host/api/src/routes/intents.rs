//! Intents: create, find, read.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use quantum_catalog::{Act, Activation, Creation, IntentFilter, NewDocument, PageRequest, StoredIntent};
use quantum_core::id::IntentUid;
use quantum_core::intent::{IntentRef, environment_of};
use quantum_core::problem::Finding;
use quantum_core::vocabulary::{Environment, IntentStatus, Operation};
use quantum_policy::Context;
use quantum_store::IdempotencyRecord;
use serde_json::Value;

use crate::auth::Session;
use crate::authorize::Subject;
use crate::etag;
use crate::extract::{Parameters, Payload, Segment};
use crate::idempotency::{Answer, Key};
use crate::newborn::newborn;
use crate::page::{List, link};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::{Api, new_uuid};
use crate::step_gate::step_findings;
use crate::wire::{DocumentBody, IntentBody, IntentPage, IntentSummaryBody, findings};

/// Reads of the store for one page at most: what the caller may not view makes a page shorter then, never endless.
const READS_MAX: usize = 20;

/// Creates an intent. The identical document again gives the existing one.
#[utoipa::path(
    post, path = "/intents", tag = "intents", request_body = DocumentBody,
    params(
        ("draft" = Option<bool>, Query, description = "Do not make version 1 the active one"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request again gives the same answer")
    ),
    responses(
        (status = 201, body = IntentBody, description = "Created; Location names the version"),
        (status = 200, body = IntentBody, description = "The identical document was stored before")
    )
)]
pub(crate) async fn create_intent(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
    headers: HeaderMap,
    payload: Payload,
) -> Result<Response, Problem> {
    parameters.check(&["draft"], &[])?;
    let activation = activation(&parameters)?;
    let body = payload.json(&api.limits, api.limits.document_bytes_max).await?;
    authorize_environment(&api, &session, target_environment(&api, &session, &body.value))?;
    let draft = if activation == Activation::Draft { "draft" } else { "" };
    let key = Key::read(&headers, &session, "create_intent", &[draft.as_bytes(), &body.bytes])?;
    if let Some(key) = &key
        && let Some(answer) = key.replay(&api, &session).await?
    {
        return Ok(answer.into_response());
    }
    let new =
        NewDocument { source: &body.value, uid: IntentUid::from_uuid(new_uuid(session.now())), activation };
    let idempotency = match &key {
        Some(key) => foresee(&api, &session, &new, key).await?,
        None => None,
    };
    let act = Act { idempotency, ..act(&session, None) };
    let answer = match (api.services.catalog.intents(&session.scope).create(new, act).await, key) {
        (Ok(Creation::Created { intent, findings }), _) => created(&api, &session, intent, findings),
        (Ok(Creation::Existing(intent)), _) => answer(200, intent, &[]),
        (Err(quantum_catalog::Error::IdempotencyTaken(stored)), Some(key)) => key.answer(&stored)?,
        (Err(error), _) => return Err(error.into()),
    };
    Ok(answer.into_response())
}

/// The answer that will be given, to be stored with the intent. None: there will be none, because nothing is created.
async fn foresee(
    api: &Api,
    session: &Session,
    new: &NewDocument<'_>,
    key: &Key,
) -> Result<Option<IdempotencyRecord>, Problem> {
    let checked = api.services.catalog.intents(&session.scope).validate(new.source).await?;
    let Some(document) = checked.document else { return Ok(None) };
    let targets = api.services.catalog.settings(&session.scope).targets();
    let intent = newborn(session, document, &targets, new);
    key.record(&created(api, session, intent, checked.findings), session.now()).map(Some)
}

fn created(api: &Api, session: &Session, intent: StoredIntent, mut found: Vec<Finding>) -> Answer {
    found.extend(step_findings(api, session, &intent.definition, intent.summary.version.environment));
    let location = format!("{BASE}/intents/{}", intent.id);
    Answer { location: Some(location), ..answer(201, intent, &found) }
}

pub(super) fn answer(status: u16, intent: StoredIntent, found: &[Finding]) -> Answer {
    let etag = Some(etag::of(intent.summary.revision));
    let body = IntentBody { findings: findings(found), ..intent.into() };
    Answer { status, location: None, etag, body: serde_json::json!(body), replayed: false }
}

/// Finds intents by name.
#[utoipa::path(
    get, path = "/intents", tag = "intents",
    params(
        ("q" = Option<String>, Query, description = "Words of the name or the description"),
        ("name" = Option<String>, Query, description = "What the name begins with"),
        ("label" = Option<String>, Query, description = "key=value", example = "team=web"),
        ("environment" = Option<String>, Query, description = "development, test, staging or production"),
        ("status" = Option<String>, Query, description = "active, paused or archived"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = IntentPage, description = "Those that the caller may view"))
)]
pub(crate) async fn list_intents(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["q", "name", "label", "environment", "status", "limit", "page_token"], &[])?;
    api.authorize(&session, Operation::IntentList, Subject::Tenant)?;
    let filter = IntentFilter {
        q: parameters.text("q").map(str::to_owned),
        name_prefix: parameters.text("name").map(str::to_owned),
        label: parameters.read("label", "key=value", read_label)?,
        environment: parameters.read(
            "environment",
            "development, test, staging or production",
            Environment::parse,
        )?,
        status: parameters.read("status", "active, paused or archived", IntentStatus::parse)?,
    };
    let paging = api.pages.read(&session, "intents", &parameters)?;
    let PageRequest { limit, mut after } = paging.request();
    let mut items: Vec<IntentSummaryBody> = Vec::new();
    let wanted = limit as usize;
    for _ in 0..READS_MAX {
        let missing = u32::try_from(wanted - items.len()).unwrap_or(limit);
        let request = PageRequest { limit: missing, after };
        let page = api.services.catalog.intents(&session.scope).list(&filter, request).await?;
        let visible =
            page.items.iter().filter(|one| api.allows(&session, Operation::IntentView, Subject::Intent(one)));
        items.extend(visible.map(Into::into));
        after = page.next;
        if after.is_none() || items.len() == wanted {
            break;
        }
    }
    let next_page_token = after.map(|place| api.pages.seal(&paging, &place));
    let headers = link(&format!("{BASE}/intents"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(List { items, next_page_token })).into_response())
}

/// The intent with one of its versions: `name-vN` that one, `name` or the uid the active one.
#[utoipa::path(
    get, path = "/intents/{id}", tag = "intents",
    params(("id" = String, Path, description = "name-vN, name, or uid", example = "deploy-web-app-v1")),
    responses((status = 200, body = IntentBody, description = "With its ETag"))
)]
pub(crate) async fn get_intent(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let (_, intent) = visible(&api, &session, &id, Operation::IntentView).await?;
    Ok(answer(200, intent, &[]).into_response())
}

/// The intent, when the caller may do this to it.
pub(super) async fn visible(
    api: &Api,
    session: &Session,
    id: &str,
    operation: Operation,
) -> Result<(IntentRef, StoredIntent), Problem> {
    let reference = reference(id)?;
    let intent = api.services.catalog.intents(&session.scope).get(&reference).await?;
    api.authorize(session, operation, Subject::Intent(&intent.summary))?;
    Ok((reference, intent))
}

/// What cannot be an id names nothing.
pub(super) fn reference(id: &str) -> Result<IntentRef, Problem> {
    IntentRef::parse(id).map_err(|_| Problem::not_found())
}

pub(super) fn act(session: &Session, if_match: Option<u64>) -> Act {
    Act { by: session.caller.id.clone(), at: session.now(), if_match, idempotency: None }
}

/// May the caller create an intent there?
pub(super) fn authorize_environment(api: &Api, session: &Session, to: Environment) -> Result<(), Problem> {
    let context = Context { environment: Some(to), ..session.context.clone() };
    api.authorize_in(session, Operation::IntentCreate, Subject::Tenant, &context)
}

/// Of a document that was not checked yet. What is no text is refused later; until then it counts as production.
pub(super) fn target_environment(api: &Api, session: &Session, document: &Value) -> Environment {
    let target = document.pointer("/definition/target").filter(|target| !target.is_null());
    let targets = api.services.catalog.settings(&session.scope).targets();
    environment_of(target.map(|target| target.as_str().unwrap_or_default()), &targets)
}

pub(super) fn activation(parameters: &Parameters) -> Result<Activation, Problem> {
    Ok(if parameters.flag("draft")? { Activation::Draft } else { Activation::Now })
}

pub(crate) fn read_label(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty())?;
    Some((key.to_owned(), value.to_owned()))
}
