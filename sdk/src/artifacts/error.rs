//! Why the host did not give or take an artifact.

use std::{fmt, io};

use crate::failure::Failure;

/// An artifact that could not be read or written. `?` in an action makes a failure of it, with the code `artifact-` and
/// then this one; through [`std::io`] it travels as the source of the `io::Error`, where
/// [`Failure::from_io`](crate::Failure::from_io) finds it again.
///
/// ```
/// use quantum_sdk::prelude::*;
///
/// let host = quantum_sdk::testing::Host::new();
/// let error = host.context().artifacts().open("app").unwrap_err();
/// assert_eq!(error.code, "missing");
/// assert_eq!(Failure::from(error).to_string(), "artifact-missing: there is no artifact \"app\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// From an open set: `missing`, `denied`, `too-large`, `quota`, `unavailable`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = format!("artifact-{}", error.code);
        if error.retryable {
            Self::retryable(code, error.message)
        } else {
            Self::permanent(code, error.message)
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.code.as_str() {
            "missing" => io::ErrorKind::NotFound,
            "denied" => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
