//! The administrator's listener: is the host alive, is it ready, what are its numbers. For loopback only; it asks
//! nobody who they are.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use quantum_engine::Engine;
use quantum_store::{Bucket, Health, Store};
use serde::Serialize;
use serde_json::json;

/// Writes the metrics in Prometheus' text format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Which policies decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyState {
    /// As decisions name it.
    pub version: String,
    /// Why the policies that were to follow these are not in force; none: there are none such.
    pub refused: Option<String>,
}

/// What the administrator's routes look at.
#[derive(Clone)]
pub struct AdminServices {
    pub store: Store,
    pub engine: Engine,
    /// Where blobs lie, when it is one.
    pub bucket: Option<Bucket>,
    pub metrics: MetricsText,
    pub policies: Arc<dyn Fn() -> PolicyState + Send + Sync>,
}

/// `/livez`, `/readyz`, `/metrics`.
pub fn admin_router(services: AdminServices) -> Router {
    Router::new()
        .route("/livez", get(get_liveness))
        .route("/readyz", get(get_readiness))
        .route("/metrics", get(get_metrics))
        .with_state(services)
}

async fn get_liveness() -> Response {
    axum::Json(json!({ "status": "alive" })).into_response()
}

async fn get_readiness(State(services): State<AdminServices>) -> Response {
    let (status, body) = match services.store.health() {
        Health::Ready => match services.bucket.and_then(|bucket| bucket.trouble()) {
            None => (StatusCode::OK, ready(services.engine.unread(), &(services.policies)())),
            Some(reason) => {
                (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "degraded", "reason": reason }))
            }
        },
        Health::Degraded { reason } => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "degraded", "reason": reason }))
        }
        Health::Failed { reason } => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "failed", "reason": reason }))
        }
    };
    (status, axum::Json(body)).into_response()
}

/// `unread_executions`: they wait for a node that runs a newer program. This one does its work all the same.
fn ready(unread: u64, policies: &PolicyState) -> serde_json::Value {
    match unread {
        0 => json!({ "status": "ready", "policies": policies }),
        unread => json!({ "status": "ready", "unread_executions": unread, "policies": policies }),
    }
}

async fn get_metrics(State(services): State<AdminServices>) -> Response {
    services.engine.observe();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (services.metrics)()).into_response()
}
