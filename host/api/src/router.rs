//! Puts routes, document and edge together.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::codes;
use crate::edge;
use crate::openapi;
use crate::options::{ApiOptions, Services};
use crate::problem::Problem;
use crate::routes;
use crate::state::Api;

/// The API. Serve it with [`serve`](crate::serve), which sets what the connection is bound by.
pub fn router(services: Services, options: ApiOptions) -> Router {
    let (router, document) = routes::all().split_for_parts();
    let document = openapi::text(&openapi::finish(document));
    let api = Api::new(services, options, document);
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(method_not_allowed)
        // Bodies are read with the route's own limit, by the handler.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(api.clone(), edge::guard))
        .with_state(api)
}

async fn no_such_route() -> Problem {
    Problem::new(&codes::NO_SUCH_ROUTE).detail("there is no such route")
}

async fn method_not_allowed() -> Problem {
    Problem::new(&codes::METHOD_NOT_ALLOWED).detail("the route does not take this method")
}

/// The text of a panic is for the log only; the panic hook has written it already.
fn panicked(_panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    use axum::response::IntoResponse;
    Problem::new(&codes::INTERNAL).detail("the host could not serve this request").into_response()
}
