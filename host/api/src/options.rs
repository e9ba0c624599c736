//! What the api is given: the rooms below it, bounds, and keys.

use std::sync::Arc;
use std::time::Duration;

use quantum_catalog::{Catalog, Effects};
use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_engine::{Clock, Engine};
use quantum_policy::Authorizer;
use quantum_sandbox::Sandbox;
use quantum_store::{Blobs, Store};
use tokio_util::sync::CancellationToken;

use crate::auth::Issuers;

/// The rooms behind the routes.
#[derive(Clone)]
pub struct Services {
    /// Read only: stored answers of idempotency keys, and log lines.
    pub store: Store,
    pub catalog: Catalog,
    pub engine: Engine,
    pub authorizer: Authorizer,
    /// Artifacts and secrets.
    pub effects: Effects,
    /// Takes in uploaded components.
    pub sandbox: Arc<Sandbox>,
    /// Keeps uploaded components.
    pub blobs: Blobs,
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the host stops: event streams end then.
    pub closing: CancellationToken,
}

/// Bounds and keys of the routes.
#[derive(Clone)]
pub struct ApiOptions {
    pub limits: Limits,
    pub issuers: Issuers,
    /// Authenticates page tokens. With another key, tokens of before are refused.
    pub page_token_key: [u8; 32],
}

impl ApiOptions {
    pub fn new(issuers: Issuers, page_token_key: [u8; 32]) -> Self {
        Self { limits: Limits::default(), issuers, page_token_key }
    }
}

/// Bounds of requests and connections. Each one is on by default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time; more wait in the backlog.
    pub connections_max: usize,
    /// Connections of one address at the same time; more are closed at once.
    pub connections_per_address_max: usize,
    /// From the connection, or the end of the answer before, to the end of the head.
    pub header_read: Duration,
    /// Headers of a request. Over it: 431.
    pub headers_max: usize,
    /// Bytes of a request's head. Over it: 431.
    pub head_bytes_max: usize,
    /// Bytes of path and query. Over it: 414.
    pub uri_bytes_max: usize,
    /// Streams of an HTTP/2 connection at the same time.
    pub streams_max: u32,
    /// Age at which a connection is closed once its requests are answered.
    pub connection_age_max: Duration,
    /// Bytes of a body where no route says otherwise. Over it: 413.
    pub body_bytes_max: usize,
    /// Bytes of an intent document's body. Over it: 413.
    pub document_bytes_max: usize,
    /// Bytes of the body of an execute. Over it: 413.
    pub input_bytes_max: usize,
    /// Bytes of the body of a batch. Over it: 413.
    pub batch_bytes_max: usize,
    /// Bytes of an uploaded component. Over it: 413.
    pub component_bytes_max: usize,
    /// Uploads at the same time; over it: 503.
    pub uploads_max: usize,
    /// For a whole body to arrive. Over it: 408.
    pub body_deadline: Duration,
    /// For an answer to begin. Over it: 503.
    pub handler: Duration,
    /// For an uploaded component to be compiled and the answer to begin. Over it: 503.
    pub upload: Duration,
    /// For an artifact to arrive. Over it: 503; a client that sends nothing is given up after `body_deadline`.
    pub transfer: Duration,
    /// What `?wait` may ask for.
    pub wait_max: Duration,
    /// Between comments on a silent event stream.
    pub heartbeat: Duration,
    /// For requests to end when the host stops.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_address_max: 64,
            header_read: Duration::from_secs(10),
            headers_max: 64,
            head_bytes_max: 32 * 1024,
            uri_bytes_max: 8 * 1024,
            streams_max: 64,
            connection_age_max: Duration::from_secs(600),
            body_bytes_max: 64 * 1024,
            document_bytes_max: 256 * 1024,
            input_bytes_max: 1024 * 1024,
            batch_bytes_max: 1024 * 1024,
            component_bytes_max: COMPONENT_BYTES_MAX,
            uploads_max: 4,
            body_deadline: Duration::from_secs(30),
            handler: Duration::from_secs(30),
            upload: Duration::from_secs(180),
            transfer: Duration::from_secs(3_600),
            wait_max: Duration::from_secs(60),
            heartbeat: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
