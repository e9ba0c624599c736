//! HTTP and JSON, nothing else: who asks, may they, what do they want, and the answer of the room that does it.
//!
//! No rule of the domain lives here, and nothing is written to the store directly. Every route authorizes before it
//! shows or changes anything, and every refusal is a problem with a code of `codes`.

mod accept;
mod admin;
pub mod auth;
mod authorize;
pub mod codes;
mod edge;
mod etag;
mod extract;
mod idempotency;
mod intent_source;
mod json;
mod negotiate;
mod newborn;
mod openapi;
mod options;
mod page;
mod problem;
mod refusal;
mod router;
mod routes;
mod state;
mod step_gate;
mod wire;

pub use accept::serve;
pub use admin::{AdminServices, MetricsText, PolicyState, admin_router};
pub use intent_source::StoredIntents;
pub use openapi::document;
pub use options::{ApiOptions, Limits, Services};
pub use router::router;
