//! Refusals (RFC 9457), and findings of a validation.

use quantum_core::problem::Finding;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused: `application/problem+json`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/errors/invalid-document", "title": "Invalid document", "status": 422,
    "detail": "the document has 1 error: \"replica\" is not known here at \"/definition/steps/0/replica\"",
    "code": "invalid-document", "hint": "each finding says where and what would be accepted",
    "request_id": "0198c0de-0000-7000-8000-000000000000",
    "errors": [{ "severity": "error", "pointer": "/definition/steps/0/replica", "code": "parameters",
                 "message": "\"replica\" is not known here", "hint": "did you mean \"replicas\"?" }]
}))]
pub(crate) struct ProblemBody {
    /// A page about the code, relative to this host.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Kebab-case, stable.
    pub code: String,
    /// What would work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    pub request_id: String,
    /// Of the decision that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// Everything that is wrong with the body, at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FindingBody>,
}

/// One thing that is wrong with a document: where, what, and what would work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct FindingBody {
    /// `error` refuses the document, `warning` is told.
    #[schema(value_type = String, example = "error")]
    pub severity: quantum_core::problem::Severity,
    /// JSON Pointer into the body; `?name` for a query parameter.
    pub pointer: String,
    pub code: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Bytes from and to, inside the text at `pointer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<usize>>)]
    pub span: Option<(usize, usize)>,
}

impl From<&Finding> for FindingBody {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity,
            pointer: finding.pointer.clone(),
            code: finding.code.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            span: finding.span,
        }
    }
}
