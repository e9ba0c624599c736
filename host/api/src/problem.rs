//! Refusals as RFC 9457 problems. A handler returns a `Problem`; the edge writes it, because only the edge knows the
//! request's id. No text of an internal error ever gets into one.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use quantum_core::id::DecisionId;
use quantum_core::problem::Finding;
use serde_json::{Map, json};

use crate::codes::{self, Code};
use crate::wire::ProblemBody;

/// Why a request was refused. Boxed: it travels in every `Result`.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: &'static Code,
    detail: Option<String>,
    hint: Option<String>,
    decision: Option<DecisionId>,
    findings: Vec<Finding>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(code: &'static Code) -> Self {
        let parts = Parts {
            code,
            detail: None,
            hint: None,
            decision: None,
            findings: Vec::new(),
            headers: Vec::new(),
        };
        Self(Box::new(parts))
    }

    /// What stands there instead of anything that the caller may not see: always the same bytes.
    pub fn not_found() -> Self {
        Self::new(&codes::NOT_FOUND).detail("there is no such thing, or you may not view it")
    }

    /// Tells the log what happened, and the caller only that it did.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request could not be served");
        Self::new(&codes::INTERNAL).detail("the host could not serve this request")
    }

    /// 503, to be tried again after so many milliseconds.
    pub fn unavailable(reason: &str, retry_after_ms: u64) -> Self {
        Self::new(&codes::UNAVAILABLE).detail(reason).retry_after(retry_after_ms)
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn decision(mut self, id: DecisionId) -> Self {
        self.0.decision = Some(id);
        self
    }

    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.0.findings = findings;
        self
    }

    #[must_use]
    pub fn finding(self, finding: Finding) -> Self {
        self.findings(vec![finding])
    }

    /// Of the part of the body at `base`. What it points to in a stored document stays as it is.
    #[must_use]
    pub fn within(mut self, base: &str) -> Self {
        if self.0.code != &codes::INVALID_DOCUMENT {
            for finding in &mut self.0.findings {
                finding.pointer.insert_str(0, base);
            }
        }
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    #[must_use]
    pub fn retry_after(self, millis: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(millis.div_ceil(1_000).max(1)))
    }

    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As it is sent.
    pub(crate) fn body(&self, request_id: &str) -> ProblemBody {
        let Parts { code, detail, hint, decision, findings, .. } = self.0.as_ref();
        ProblemBody {
            kind: format!("/errors/{}", code.code),
            title: code.title.to_owned(),
            status: code.status,
            detail: detail.clone(),
            code: code.code.to_owned(),
            hint: Some(hint.clone().unwrap_or_else(|| code.hint.to_owned())),
            request_id: request_id.to_owned(),
            decision_id: decision.map(|id| id.to_string()),
            errors: findings.iter().map(Into::into).collect(),
        }
    }
}

/// For whoever is told later, and not by HTTP. What the host could not find out is worth another try.
impl From<Problem> for quantum_core::problem::Problem {
    fn from(problem: Problem) -> Self {
        let retryable = problem.status().is_server_error();
        let Parts { code, detail, hint, decision, findings, .. } = *problem.0;
        let mut details = Map::new();
        details.insert("hint".to_owned(), hint.unwrap_or_else(|| code.hint.to_owned()).into());
        details.extend(decision.map(|id| ("decision_id".to_owned(), id.to_string().into())));
        if !findings.is_empty() {
            details.insert("errors".to_owned(), json!(findings));
        }
        let message = detail.unwrap_or_else(|| code.title.to_owned());
        Self { retryable, details: Some(details.into()), ..Self::new(code.code, message) }
    }
}

/// Without a body: the edge adds it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
