//! Intents: the document that a client sends, and what is stored and returned.

use std::collections::BTreeMap;

use quantum_catalog::{IntentSummary, StoredIntent, version_id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::FindingBody;
use crate::etag;

/// What a client posts. Only for the document: the body is checked by the catalog, with all findings at once.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = IntentDocument, example = json!({
    "name": "deploy-web-app",
    "definition": { "target": "production", "steps": [
        { "action": "build-docker-image", "image": "myapp:latest", "context": "./app" },
        { "action": "push-to-registry", "registry": "azurecr.io", "image": "myapp:latest" },
        { "action": "deploy-to-kubernetes", "namespace": "production", "replicas": 3 }
    ] }
}))]
#[expect(dead_code, reason = "only its shape is used, by the OpenAPI document")]
pub(crate) struct DocumentBody {
    /// Words of a-z and 0-9 joined by -, at most 63 characters. Unique in the tenant, never reused.
    pub name: String,
    pub description: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    /// See schemas/intent.json.
    #[schema(value_type = Object)]
    pub definition: Value,
}

/// An intent beside one of its versions, without the definition.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = IntentSummary)]
pub(crate) struct IntentSummaryBody {
    /// `name-vN`.
    #[schema(example = "deploy-web-app-v1")]
    pub id: String,
    /// The same for all versions.
    pub uid: String,
    pub name: String,
    pub version: u32,
    /// draft, active or superseded.
    pub version_status: &'static str,
    pub tenant_id: String,
    pub description: String,
    pub labels: BTreeMap<String, String>,
    /// development, test, staging or production.
    pub environment: &'static str,
    /// active, paused or archived.
    pub status: &'static str,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub created_by: String,
    /// For `If-Match`: changes with every change of the intent.
    pub etag: String,
}

/// An intent beside one of its versions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Intent)]
pub(crate) struct IntentBody {
    #[serde(flatten)]
    pub summary: IntentSummaryBody,
    /// As it was written.
    #[schema(value_type = Object)]
    pub definition: Value,
    /// Warnings, after a change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntentPage {
    pub items: Vec<IntentSummaryBody>,
    pub next_page_token: Option<String>,
}

/// What a validation found; nothing was stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Validation)]
pub(crate) struct ValidationBody {
    /// Whether the document could be stored.
    pub valid: bool,
    pub findings: Vec<FindingBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollbackRequest {
    /// The version whose document becomes the newest one.
    #[schema(example = 1)]
    pub to: u32,
}

/// Where two versions differ.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Diff)]
pub(crate) struct DiffBody {
    pub from: u32,
    pub to: u32,
    /// Each with `op` (add, remove, replace), `pointer`, and what stood there.
    #[schema(value_type = Vec<Object>)]
    pub differences: Vec<quantum_catalog::Difference>,
}

impl From<&IntentSummary> for IntentSummaryBody {
    fn from(summary: &IntentSummary) -> Self {
        let version = &summary.version;
        Self {
            id: version_id(summary),
            uid: summary.uid.to_string(),
            name: summary.name.to_string(),
            version: version.number,
            version_status: version.status.as_str(),
            tenant_id: summary.tenant.to_string(),
            description: version.description.clone(),
            labels: version.labels.clone(),
            environment: version.environment.as_str(),
            status: summary.status.as_str(),
            created_at: version.created_at.to_string(),
            created_by: version.created_by.to_string(),
            etag: etag::of(summary.revision),
        }
    }
}

impl From<StoredIntent> for IntentBody {
    fn from(intent: StoredIntent) -> Self {
        Self { summary: (&intent.summary).into(), definition: intent.definition, findings: Vec::new() }
    }
}
