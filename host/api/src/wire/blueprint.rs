//! Blueprints: what a client sends, and what is stored and returned.

use quantum_catalog::{BlueprintSummary, StoredBlueprint};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::FindingBody;
use crate::etag;

/// What a client sends. Only for the document: the body is checked by the catalog, with all findings at once.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BlueprintDocument, example = json!({
    "description": "Builds and deploys one version",
    "schema": { "type": "object", "required": ["version"], "properties": { "version": { "type": "string" } } },
    "steps": [{ "action": "build-container", "image": "myapp:${ intent.definition.version }" }]
}))]
#[expect(dead_code, reason = "only its shape is used, by the OpenAPI document")]
pub(crate) struct BlueprintDocumentBody {
    /// That of the path, or nothing.
    pub name: Option<String>,
    pub description: Option<String>,
    /// JSON Schema of the definitions that it gives steps to. Not given: every definition fits.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// As in an intent's definition; so are `order`, `input` and `output`. See schemas/blueprint.json.
    #[schema(value_type = Vec<Object>)]
    pub steps: Value,
    pub order: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub output: Option<Value>,
}

/// A blueprint without its document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BlueprintSummary)]
pub(crate) struct BlueprintSummaryBody {
    /// Of the intents that it gives steps to.
    #[schema(example = "deploy-application")]
    pub name: String,
    /// One more with every change; numbers of removed blueprints do not come back.
    pub revision: u64,
    pub tenant_id: String,
    pub description: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    pub updated_by: String,
    /// For `If-Match`.
    pub etag: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Blueprint)]
pub(crate) struct BlueprintBody {
    #[serde(flatten)]
    pub summary: BlueprintSummaryBody,
    /// As it was written, with its name: it can be sent again.
    #[schema(value_type = Object)]
    pub document: Value,
    /// Warnings, after a change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlueprintPage {
    pub items: Vec<BlueprintSummaryBody>,
    pub next_page_token: Option<String>,
}

impl From<&BlueprintSummary> for BlueprintSummaryBody {
    fn from(summary: &BlueprintSummary) -> Self {
        Self {
            name: summary.name.to_string(),
            revision: summary.revision,
            tenant_id: summary.tenant.to_string(),
            description: summary.description.clone(),
            updated_at: summary.updated_at.to_string(),
            updated_by: summary.updated_by.to_string(),
            etag: etag::of(summary.revision),
        }
    }
}

impl From<StoredBlueprint> for BlueprintBody {
    fn from(blueprint: StoredBlueprint) -> Self {
        let mut document = Map::from_iter([("name".to_owned(), blueprint.summary.name.as_str().into())]);
        document.extend(blueprint.document.as_object().cloned().unwrap_or_default());
        Self { summary: (&blueprint.summary).into(), document: document.into(), findings: Vec::new() }
    }
}
