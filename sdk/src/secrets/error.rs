//! Why the host did not hand out a secret.

use std::fmt;

use crate::failure::Failure;

/// A secret that this attempt does not get. `?` in an action makes a permanent failure of it, with the code `secret-` and
/// then this one.
///
/// ```
/// use quantum_sdk::Failure;
///
/// let host = quantum_sdk::testing::Host::new();
/// let error = host.context().secret("TOKEN").unwrap_err();
/// assert_eq!(error.code, "missing");
/// assert_eq!(Failure::from(error).to_string(), "secret-missing: there is no secret \"TOKEN\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// From an open set: `undeclared`, `denied`, `missing`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::permanent(format!("secret-{}", error.code), error.message)
    }
}
