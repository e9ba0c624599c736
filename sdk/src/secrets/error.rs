//! Why the host did not hand out a secret.

use std::fmt;

use crate::failure::Failure;

/// The one code of an error that another attempt may cure.
const UNAVAILABLE: &str = "unavailable";

/// A secret that this attempt does not get. `?` in an action makes a failure of it, with the code `secret-` and then this
/// one: retryable when the host could not look (`unavailable`), else permanent.
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
    /// From an open set: `undeclared`, `denied`, `missing`, `unavailable`, `invalid-user`, `invalid-secret`.
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
        let code = format!("secret-{}", error.code);
        if error.code == UNAVAILABLE {
            Self::retryable(code, error.message)
        } else {
            Self::permanent(code, error.message)
        }
    }
}
