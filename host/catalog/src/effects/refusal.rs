//! From an error of a use case to what a component is told. What is the host's own trouble goes to its log.

use std::error::Error as _;

use quantum_core::port::EffectError;

use crate::Error;

pub(super) fn refusal(error: Error) -> EffectError {
    let code = match &error {
        Error::Quota { .. } | Error::TooManyUnfinished { .. } => "quota",
        Error::ArtifactTooLarge { .. } => "too-large",
        Error::InvalidName { .. } => "invalid-name",
        Error::NotFound { .. } => "missing",
        _ => return unavailable(&error),
    };
    let message = match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    };
    let retryable = matches!(error, Error::TooManyUnfinished { .. });
    EffectError { code, message, retryable }
}

fn unavailable(error: &Error) -> EffectError {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    tracing::error!(error = told, "an effect of an attempt failed");
    EffectError::unavailable("the host cannot store or read it now; its log says why")
}
