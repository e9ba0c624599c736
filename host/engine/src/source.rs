//! Starts that nobody asks for at the time: of schedules, and of whatever else acts for somebody who is not there.

use std::sync::Arc;

use quantum_core::plan::Plan;
use quantum_core::port::{BoxFuture, Requester};
use quantum_core::problem::Problem;
use quantum_core::time::Timestamp;
use quantum_store::{SharedPlan, TenantScope};

/// Finds what is to be started for somebody without a request of theirs, and decides whether they may.
pub trait IntentSource: Send + Sync + 'static {
    /// Asked before every start, because intents, memberships and policies change. Err: a refusal that stands until
    /// somebody changes something; `retryable` when the host could not find out.
    fn runnable(&self, request: SourceRequest) -> BoxFuture<'static, Result<Runnable, Problem>>;
}

/// What is to be started, and for whom.
#[derive(Debug, Clone)]
pub struct SourceRequest {
    pub scope: TenantScope,
    /// `name` (the active version), `name-vN`, or the uid.
    pub intent: String,
    /// Whose right it is to start it.
    pub requested_by: Requester,
    pub now: Timestamp,
}

/// An intent that may be started.
#[derive(Debug, Clone)]
pub struct Runnable {
    pub plan: Arc<Plan>,
    pub encoded: SharedPlan,
}
