//! Why the host did not read or write a value.

use std::fmt;

use crate::failure::Failure;

/// A value that could not be read or written. `?` in an action makes a failure of it, with the code `kv-` and then this
/// one.
///
/// ```
/// use quantum_sdk::Failure;
/// use quantum_sdk::kv::Error;
///
/// let error = Error { code: "quota".into(), message: "the tenant has no room left".into(), retryable: false };
/// assert_eq!(Failure::from(error).to_string(), "kv-quota: the tenant has no room left");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// From an open set: `too-large`, `quota`, `invalid-key`, `unavailable`, and `invalid-value` for a value that is not
    /// what it is read as.
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
        let code = format!("kv-{}", error.code);
        if error.retryable {
            Self::retryable(code, error.message)
        } else {
            Self::permanent(code, error.message)
        }
    }
}
