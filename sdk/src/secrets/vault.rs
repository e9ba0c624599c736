//! What the host does with secrets for an action.

use super::{Error, Secret};
use crate::context::Host;

/// The secrets of this attempt; from [`Context::secrets`](crate::Context::secrets).
///
/// ```
/// let host = quantum_sdk::testing::Host::new().secret("KEY", "key");
/// let signature = host.context().secrets().hmac_sha256("KEY", b"message")?;
/// assert_eq!(signature.len(), 32);
/// # Ok::<(), quantum_sdk::secrets::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Secrets<'a> {
    host: &'a Host,
}

impl<'a> Secrets<'a> {
    pub(crate) const fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// The placeholder of a secret; the same as [`Context::secret`](crate::Context::secret).
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
    /// let ctx = host.context();
    /// assert_eq!(ctx.secrets().get("TOKEN")?, ctx.secret("TOKEN")?);
    /// # Ok::<(), quantum_sdk::secrets::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Result<Secret, Error> {
        self.host.secret_text(name).map(Secret::new)
    }

    /// A whole `Authorization` value (`Basic …`) of this user, whose name has no colon, and the secret as password, as one
    /// placeholder. Needs `#[action(secrets(…))]`.
    ///
    /// ```
    /// # use quantum_sdk::testing::{Answer, Host};
    /// let host = Host::new().secret("PASSWORD", "s3cret");
    /// # host.answer("GET", "https://api.example.com/", Answer::status(200));
    /// let ctx = host.context();
    /// let login = ctx.secrets().basic("ada", "PASSWORD")?;
    /// ctx.http().get("https://api.example.com/").header("authorization", login).send()?;
    /// # Ok::<(), quantum_sdk::Failure>(())
    /// ```
    pub fn basic(&self, user: &str, name: &str) -> Result<String, Error> {
        self.host.secret_basic(user, name)
    }

    /// HMAC-SHA256 of the data under the secret, 32 bytes: for signatures that the action builds. The key is the secret's
    /// UTF-8 bytes, or, after `whsec_` or `base64:`, what follows decoded from Base64. Needs `#[action(secrets(…))]`.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("KEY", "whsec_a2V5").secret("SAME", "key");
    /// let ctx = host.context();
    /// assert_eq!(ctx.secrets().hmac_sha256("KEY", b"message")?, ctx.secrets().hmac_sha256("SAME", b"message")?);
    /// # Ok::<(), quantum_sdk::secrets::Error>(())
    /// ```
    pub fn hmac_sha256(&self, name: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.host.secret_hmac_sha256(name, data)
    }

    /// The value itself. Needs `#[action(reveal(…))]`, which whoever installs the plugin sees: use a placeholder wherever
    /// one will do.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("KEY", "s3cret");
    /// assert_eq!(host.context().secrets().reveal("KEY")?, "s3cret");
    /// # Ok::<(), quantum_sdk::secrets::Error>(())
    /// ```
    pub fn reveal(&self, name: &str) -> Result<String, Error> {
        self.host.secret_reveal(name)
    }
}
