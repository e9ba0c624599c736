//! Recordings of attempts, as they are kept.

use super::{BoxFuture, EffectError};
use crate::id::{ExecutionId, StepId, TenantId};

/// Which attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingKey {
    pub execution: ExecutionId,
    pub slot: RecordingSlotKey,
    pub attempt: u32,
}

/// Of which step, element and phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingSlotKey {
    pub step: StepId,
    /// Of a `for_each`: the position in its list.
    pub element: Option<u32>,
    /// Of its compensation.
    pub compensates: bool,
}

/// Keeps recordings as long as their execution. Errors: `quota`, `unavailable`.
pub trait RecordingStore: Send + Sync + 'static {
    /// Durable once it returns.
    fn keep(
        &self,
        tenant: &TenantId,
        key: RecordingKey,
        recording: Vec<u8>,
    ) -> BoxFuture<'static, Result<(), EffectError>>;
}
