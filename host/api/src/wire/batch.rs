//! Many starts in one request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{ExecuteRequest, ProblemBody};

/// Starts that become durable together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "items": [
    { "intent": "deploy-web-app", "input": { "tag": "1.2.3" }, "idempotency_key": "order-4711" },
    { "intent": "deploy-web-app", "input": { "tag": "1.2.4" }, "labels": { "team": "web" } }
] }))]
pub(crate) struct BatchRequest {
    /// 1 to 1 000. Each is read by itself, so that one which cannot be read refuses no other.
    #[schema(value_type = Vec<BatchStart>)]
    pub items: Vec<Value>,
}

/// One start: what `execute` takes, with the intent and the key beside it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchStart {
    /// name-vN, name, or uid.
    #[schema(example = "deploy-web-app")]
    pub intent: String,
    /// What the intent's `input` schema asks for. Nothing given: an empty object.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Option<Value>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Actions with effects are skipped, or rehearse.
    #[serde(default)]
    pub dry_run: bool,
    /// Of those that a limit holds back, greater ones start first: 0 to 9.
    #[serde(default)]
    #[schema(maximum = 9)]
    pub priority: u8,
    /// The same start again under the same key gives the same answer, and has one effect.
    pub idempotency_key: Option<String>,
}

/// What became of each start.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchBody {
    /// Starts that are durable and on their way.
    pub started: usize,
    pub refused: usize,
    /// One for each start of the request, in its order.
    pub items: Vec<BatchItemBody>,
}

/// `execution_id` and `intent` of a start that is on its way, else the `problem`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = BatchItem)]
pub(crate) struct BatchItemBody {
    /// What the start would have been answered with in a request of its own: 202 when it is on its way.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// `name-vN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// The answer was given before, under the same key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// Its pointers begin with `/items/N`, but those of `invalid-document` point into the stored intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemBody>,
}

impl BatchStart {
    /// What a request of its own would hold.
    pub fn request(self) -> ExecuteRequest {
        ExecuteRequest {
            input: self.input,
            labels: self.labels,
            dry_run: self.dry_run,
            priority: self.priority,
        }
    }
}
