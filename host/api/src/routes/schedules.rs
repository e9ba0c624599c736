//! Schedules: create, find, read, and when they are due.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use quantum_catalog::{IntentSummary, PageRequest, ScheduleAct, ScheduleDraft, StoredSchedule};
use quantum_core::id::ScheduleUid;
use quantum_core::intent::IntentRef;
use quantum_core::problem::Finding;
use quantum_core::schedule::ScheduleDocument;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Operation;

use super::intents::reference;
use crate::auth::Session;
use crate::authorize::Subject;
use crate::codes;
use crate::etag;
use crate::extract::{Parameters, Payload, Segment, typed};
use crate::page::link;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::{Api, new_uuid};
use crate::wire::{DueTimeList, ScheduleBody, SchedulePage, ScheduleRequest};

/// Reads of the store for one page at most: what the caller may not view makes a page shorter then, never endless.
const READS_MAX: usize = 20;
/// Due times of one answer when `count` is not given, and at most.
const COUNT_DEFAULT: u64 = 10;
const COUNT_MAX: u64 = 100;

/// Makes a schedule. Its executions are started in the caller's name, with the caller's rights at the time.
#[utoipa::path(
    post, path = "/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses((status = 201, body = ScheduleBody, description = "With its ETag; Location names it"))
)]
pub(crate) async fn create_schedule(
    State(api): State<Api>,
    session: Session,
    payload: Payload,
) -> Result<Response, Problem> {
    api.authorize(&session, Operation::ScheduleList, Subject::Tenant)?;
    let mut request = read(&api, payload).await?;
    let paused = request.paused.unwrap_or(false);
    let name = request.name.take().ok_or_else(|| refused("/name", "a schedule has a name"))?;
    let document = request.document()?;
    authorize_new(&api, &session, &document).await?;
    let uid = ScheduleUid::from_uuid(new_uuid(session.now()));
    let draft = ScheduleDraft { uid, name, document, paused };
    let schedules = api.services.catalog.schedules(&session.scope);
    let schedule = schedules.create(draft, act(&session, None)).await?;
    changed(&api, &session, &schedule, "was created");
    let location = [(header::LOCATION, format!("{BASE}/schedules/{}", schedule.name))];
    Ok((StatusCode::CREATED, location, answer(schedule)).into_response())
}

/// Schedules by name.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules",
    params(
        ("intent" = Option<String>, Query, description = "Only of this intent: its name or uid"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = SchedulePage, description = "Those of intents that the caller may view"))
)]
pub(crate) async fn list_schedules(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["intent", "limit", "page_token"], &[])?;
    api.authorize(&session, Operation::ScheduleList, Subject::Tenant)?;
    let of = match parameters.text("intent") {
        Some(id) => Some(intent_of(&api, &session, &reference(id)?, Operation::IntentView).await?.uid),
        None => None,
    };
    let paging = api.pages.read(&session, "schedules", &parameters)?;
    let PageRequest { limit, mut after } = paging.request();
    let mut items: Vec<ScheduleBody> = Vec::new();
    let wanted = limit as usize;
    for _ in 0..READS_MAX {
        let missing = u32::try_from(wanted - items.len()).unwrap_or(limit);
        let request = PageRequest { limit: missing, after };
        let page = api.services.catalog.schedules(&session.scope).list(of, request).await?;
        for schedule in page.items {
            if may_view(&api, &session, &schedule).await? {
                items.push(schedule.into());
            }
        }
        after = page.next;
        if after.is_none() || items.len() == wanted {
            break;
        }
    }
    let next_page_token = after.map(|place| api.pages.seal(&paging, &place));
    let headers = link(&format!("{BASE}/schedules"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(SchedulePage { items, next_page_token })).into_response())
}

/// A schedule, when it is due next, and what became of its due times.
#[utoipa::path(
    get, path = "/schedules/{id}", tag = "schedules",
    params(("id" = String, Path, description = "The schedule's name", example = "nightly-backup")),
    responses((status = 200, body = ScheduleBody, description = "With its ETag"))
)]
pub(crate) async fn get_schedule(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
) -> Result<Response, Problem> {
    let (schedule, _) = found(&api, &session, &name).await?;
    Ok(answer(schedule).into_response())
}

/// When it is due, and what the clock on the wall shows then. Asked of a paused schedule: when it would be.
#[utoipa::path(
    get, path = "/schedules/{id}/times", tag = "schedules",
    params(
        ("id" = String, Path, description = "The schedule's name", example = "nightly-backup"),
        ("count" = Option<u32>, Query, description = "How many, 1 to 100; 10 when not given"),
        ("after" = Option<String>, Query, description = "A time; now when not given", example = "2026-03-28T00:00:00Z")
    ),
    responses((status = 200, body = DueTimeList, description = "In order; fewer when it ends before"))
)]
pub(crate) async fn list_schedule_times(
    State(api): State<Api>,
    session: Session,
    Segment(name): Segment<String>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["count", "after"], &[])?;
    let (schedule, _) = found(&api, &session, &name).await?;
    let count = parameters.number("count", 1, COUNT_MAX)?.unwrap_or(COUNT_DEFAULT);
    let after = parameters.read("after", "a time such as 2026-03-28T00:00:00Z", Timestamp::parse)?;
    let times = schedule.times(after.unwrap_or(session.now()), usize::try_from(count).unwrap_or(usize::MAX));
    Ok(axum::Json(DueTimeList { items: times.into_iter().map(Into::into).collect() }).into_response())
}

/// The schedule with its intent, when the caller may view both.
pub(super) async fn found(
    api: &Api,
    session: &Session,
    name: &str,
) -> Result<(StoredSchedule, IntentSummary), Problem> {
    api.authorize(session, Operation::ScheduleList, Subject::Tenant)?;
    let schedule = api.services.catalog.schedules(&session.scope).get(name).await?;
    let intent = intent_of(api, session, &intent_ref(&schedule)?, Operation::IntentView).await;
    // What may not be viewed is not told apart from what is not there.
    let intent = intent
        .map_err(|problem| if problem.status().is_client_error() { Problem::not_found() } else { problem });
    Ok((schedule, intent?))
}

/// May the caller have this started by a schedule?
pub(super) async fn authorize_new(
    api: &Api,
    session: &Session,
    document: &ScheduleDocument,
) -> Result<(), Problem> {
    // What is no reference is refused with everything else that is wrong.
    let Ok(reference) = IntentRef::parse(&document.intent) else { return Ok(()) };
    match intent_of(api, session, &reference, Operation::IntentSchedule).await {
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            let message = format!("there is no intent \"{}\", or you may not view it", document.intent);
            let finding = Finding::error("/intent", "intent-unknown", message.clone());
            Err(Problem::new(&codes::INVALID_SCHEDULE).detail(message).finding(finding))
        }
        other => other.map(drop),
    }
}

async fn intent_of(
    api: &Api,
    session: &Session,
    reference: &IntentRef,
    operation: Operation,
) -> Result<IntentSummary, Problem> {
    let summary = api.services.catalog.intents(&session.scope).get(reference).await?.summary;
    api.authorize(session, operation, Subject::Intent(&summary))?;
    Ok(summary)
}

async fn may_view(api: &Api, session: &Session, schedule: &StoredSchedule) -> Result<bool, Problem> {
    let intents = api.services.catalog.intents(&session.scope);
    let summary = intents.get(&intent_ref(schedule)?).await?.summary;
    Ok(api.allows(session, Operation::IntentView, Subject::Intent(&summary)))
}

fn intent_ref(schedule: &StoredSchedule) -> Result<IntentRef, Problem> {
    IntentRef::parse(&schedule.document.intent).map_err(|error| Problem::internal(&error))
}

pub(super) async fn read(api: &Api, payload: Payload) -> Result<ScheduleRequest, Problem> {
    typed(payload.json(&api.limits, api.limits.input_bytes_max).await?.value)
}

pub(super) fn refused(place: &str, message: &str) -> Problem {
    let finding = Finding::error(place, codes::INVALID_BODY.code, message);
    Problem::new(&codes::INVALID_BODY).detail(message).finding(finding)
}

pub(super) fn act(session: &Session, if_match: Option<u64>) -> ScheduleAct {
    ScheduleAct { by: session.requester(), at: session.now(), if_match }
}

pub(super) fn answer(schedule: StoredSchedule) -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = etag::of(schedule.revision).parse() {
        headers.insert(header::ETAG, tag);
    }
    (headers, axum::Json(ScheduleBody::from(schedule)))
}

/// The engine looks at it anew.
pub(super) fn changed(api: &Api, session: &Session, schedule: &StoredSchedule, what: &str) {
    api.services.engine.schedules_changed();
    tracing::info!(tenant = %session.tenant(), by = %session.caller.id, schedule = %schedule.name, "a schedule {what}");
}
