//! The OpenAPI document: made from the handlers, finished here with what holds for all of them.

use bytes::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, ResponseBuilder};

use crate::routes;
use crate::wire::{FindingBody, ProblemBody};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Quantum",
        description = "Runs intents: versioned JSON documents that say what should happen, as steps.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemBody, FindingBody)),
    security(("bearer" = [])),
    tags(
        (name = "intents", description = "Documents with versions"),
        (name = "blueprints", description = "Templates that give steps to intents"),
        (name = "executions", description = "Runs of a plan"),
        (name = "schedules", description = "Executions by a calendar"),
        (name = "plugins", description = "What steps can do"),
        (name = "users", description = "Members of a tenant"),
        (name = "tenants", description = "For administrators of the host"),
        (name = "nodes", description = "For administrators of the host"),
        (name = "host", description = "The host itself")
    )
)]
struct Base;

/// The document of the routes that are served.
pub fn document() -> Document {
    finish(routes::all().into_openapi())
}

pub(crate) fn finish(routes: Document) -> Document {
    let mut document = Base::openapi();
    document.merge(routes);
    if let Some(components) = &mut document.components {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let scheme =
            scheme.description(Some("X-Tenant-ID names the tenant when the token's subject has several."));
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(problem()));
        }
    }
    document
}

/// As it is served: JSON text with an end of line.
pub(crate) fn text(document: &Document) -> Bytes {
    // INVARIANT: the document is made of plain structs; a test reads it back.
    let mut text = serde_json::to_string_pretty(document).expect("the document is JSON");
    text.push('\n');
    text.into()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn problem() -> Response {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    ResponseBuilder::new()
        .description("Refused (RFC 9457); `code` says why, `hint` what would work")
        .content("application/problem+json", content)
        .build()
}
