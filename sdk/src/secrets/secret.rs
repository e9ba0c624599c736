//! What an action has in place of a secret's value.

use std::fmt;

use serde::{Serialize, Serializer};

/// A placeholder: text that the host replaces by the value when a request leaves, in the places that the action declares
/// and toward the hosts that the secret is bound to. It is another one in each attempt, and worthless anywhere else.
///
/// ```
/// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
/// let token = host.context().secret("TOKEN")?;
/// assert_eq!(format!("X {token}"), format!("X {}", token.placeholder()));
/// assert!(!format!("{token:?}").contains("s3cret"));
/// # Ok::<(), quantum_sdk::secrets::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    placeholder: String,
}

impl Secret {
    pub(crate) const fn new(placeholder: String) -> Self {
        Self { placeholder }
    }

    /// The placeholder, to stand where the value is wanted.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
    /// assert_eq!(host.context().secret("TOKEN")?.placeholder(), host.secret_placeholder("TOKEN"));
    /// # Ok::<(), quantum_sdk::secrets::Error>(())
    /// ```
    pub fn placeholder(&self) -> &str {
        &self.placeholder
    }

    /// `Bearer ` and the placeholder: the value of an `Authorization` header.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// let host = Host::new().secret("TOKEN", "s3cret");
    /// # host.answer("GET", "https://api.example.com/", Answer::status(200));
    /// let ctx = host.context();
    /// let token = ctx.secret("TOKEN")?;
    /// ctx.http().get("https://api.example.com/").header("authorization", token.bearer()).send()?;
    /// # Ok::<(), quantum_sdk::Failure>(())
    /// ```
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.placeholder)
    }
}

/// The placeholder.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.placeholder)
    }
}

/// The placeholder.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").field(&self.placeholder).finish()
    }
}

/// The placeholder, for secrets that stand in a body.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.placeholder)
    }
}
