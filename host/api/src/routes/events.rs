//! The events of an execution: as a stream that ends with it, or as pages.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, header};
use quantum_core::id::ExecutionId;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Operation;
use quantum_engine::{EventFeed, FeedItem};
use quantum_store::EncodedEvent;
use serde_json::{Map, Value};
use tokio::time::{Instant, Interval, interval_at};

use super::executions::visible;
use crate::auth::Session;
use crate::codes;
use crate::extract::{Parameters, Segment};
use crate::negotiate::{EventFormat, event_format};
use crate::page::link;
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{EventPage, log_event, wire_event};

const LAST_EVENT_ID: &str = "last-event-id";

/// The events of an execution, from the first or after `Last-Event-ID`, as they become durable.
#[utoipa::path(
    get, path = "/executions/{id}/events", tag = "executions",
    params(
        ("id" = String, Path, description = "execution_id"),
        ("Last-Event-ID" = Option<u64>, Header, description = "`seq` of the last event that is known"),
        ("limit" = Option<u32>, Query, description = "Of a page: 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "Of a page: next_page_token of the page before")
    ),
    responses(
        (status = 200, content(
            (String = "text/event-stream", example = "id: 3\nevent: step_completed\ndata: {\"seq\":3,\"type\":\"step_completed\",\"step\":\"push\",\"result\":{}}\n\n"),
            (EventPage = "application/json")
        ), description = "A stream that ends with the execution; for Accept: application/json a page")
    )
)]
pub(crate) async fn stream_execution_events(
    State(api): State<Api>,
    session: Session,
    Segment(id): Segment<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = visible(&api, &session, &id, Operation::ExecutionView).await?;
    match event_format(&headers) {
        Some(EventFormat::Page) => page(&api, &session, &row.id, &parameters).await,
        Some(EventFormat::Stream) => {
            parameters.check(&[], &[])?;
            let after = read_last_event_id(&headers)?;
            let feed = api.services.engine.follow(&session.scope, &row.id, after).await?;
            Ok(Follower::new(api, session, row.id, feed.ok_or_else(Problem::not_found)?).into_response())
        }
        None => Err(Problem::new(&codes::NOT_ACCEPTABLE)
            .detail("events are sent as text/event-stream or as application/json")
            .hint("accept one of the two, or leave out Accept")),
    }
}

async fn page(
    api: &Api,
    session: &Session,
    id: &ExecutionId,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["limit", "page_token"], &[])?;
    let paging = api.pages.read(session, &format!("events of {id}"), parameters)?;
    let after = paging.after.as_deref().and_then(|place| place.parse().ok()).unwrap_or(0);
    let executions = api.services.store.executions(&session.scope);
    // One more than asked for tells whether the page is the last one.
    let mut events = executions.events(id, after, paging.limit.saturating_add(1)).await?;
    let more = events.len() > paging.limit as usize;
    events.truncate(paging.limit as usize);
    let next_page_token =
        events.last().filter(|_| more).map(|last| api.pages.seal(&paging, &last.seq.to_string()));
    let items = events.iter().map(|event| wire(id, event).map(Value::Object)).collect::<Result<_, _>>()?;
    let headers = link(&format!("{BASE}/executions/{id}/events"), parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(EventPage { items, next_page_token })).into_response())
}

/// Writes one stream. It ends when the execution has, when the caller's rights do, and when the host stops; a client
/// that comes back with `Last-Event-ID` misses nothing.
struct Follower {
    api: Api,
    session: Session,
    id: ExecutionId,
    feed: EventFeed,
    heartbeat: Interval,
}

impl Follower {
    fn new(api: Api, session: Session, id: ExecutionId, feed: EventFeed) -> Self {
        let every = api.limits.heartbeat;
        Self { heartbeat: interval_at(Instant::now() + every, every), api, session, id, feed }
    }

    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let closing = self.api.services.closing.clone();
        let text = tokio::select! {
            item = self.feed.next() => self.write(item)?,
            _ = self.heartbeat.tick() => {
                let now = self.api.services.clock.now();
                let holds = self.api.authenticator.still_holds(&self.session, now).await;
                holds.then(|| ": still here\n\n".to_owned())?
            }
            () = closing.cancelled() => return None,
        };
        Some((Ok(text.into()), self))
    }

    /// None: the stream ends.
    fn write(&self, item: Result<Option<FeedItem>, quantum_engine::Error>) -> Option<String> {
        match item {
            Ok(Some(FeedItem::Events(events))) => {
                let mut text = String::new();
                for event in &events {
                    // A broken event ends the stream before it: what comes after must not look complete.
                    push(&mut text, Some(event.seq), &wire(&self.id, event).ok()?);
                }
                Some(text)
            }
            Ok(Some(FeedItem::Line(line))) => {
                let mut text = String::new();
                push(&mut text, None, &log_event(&line));
                Some(text)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = %crate::problem::chain(&error), "an event stream ended early");
                None
            }
        }
    }
}

impl IntoResponse for Follower {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from_stream(stream::unfold(self, Self::next)));
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

fn push(text: &mut String, seq: Option<u64>, wire: &Map<String, Value>) {
    if let Some(seq) = seq {
        text.push_str(&format!("id: {seq}\n"));
    }
    let kind = wire.get("type").and_then(Value::as_str).unwrap_or("message");
    let data = serde_json::to_string(wire).unwrap_or_default();
    text.push_str(&format!("event: {kind}\ndata: {data}\n\n"));
}

fn wire(id: &ExecutionId, event: &EncodedEvent) -> Result<Map<String, Value>, Problem> {
    wire_event(id, &event.json).map_err(|error| Problem::internal(&error))
}

fn read_last_event_id(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(0) };
    value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        let message = "Last-Event-ID is the seq of an event, or is left out";
        let finding = Finding::error("Last-Event-ID", codes::INVALID_PARAMETER.code, message);
        Problem::new(&codes::INVALID_PARAMETER).detail(message).finding(finding)
    })
}
