//! Why an effect on stored data did not happen.

/// Fits after "failed to". What the guest is told, so it names nothing of the host or of other tenants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EffectError {
    /// An open set: `missing`, `denied`, `too-large`, `quota`, `invalid-key`, `invalid-name`, `undeclared`,
    /// `unavailable`.
    pub code: &'static str,
    pub message: String,
    /// Trying again later may help.
    pub retryable: bool,
}

impl EffectError {
    /// Trying again is of no use.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: false }
    }

    /// The host cannot do it now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { code: "unavailable", message: message.into(), retryable: true }
    }
}
