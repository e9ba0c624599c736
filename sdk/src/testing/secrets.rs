//! Secrets of a scripted host: the action sees placeholders, as in the sandbox.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::host::Host;
use crate::secrets::Error;

/// Scripting and looking.
impl Host {
    /// A secret that is declared, stored and granted.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
    /// assert!(host.context().secret("TOKEN").is_ok());
    /// ```
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        self.change().secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What an action gets for this secret, to compare with what it sent.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("TOKEN", "s3cret");
    /// assert_eq!(host.context().secret("TOKEN").unwrap().placeholder(), host.secret_placeholder("TOKEN"));
    /// ```
    pub fn secret_placeholder(&self, name: &str) -> String {
        format!("placeholder-of-{name}")
    }

    /// What an action gets for the Basic login of this user and secret.
    ///
    /// ```
    /// let host = quantum_sdk::testing::Host::new().secret("PASSWORD", "s3cret");
    /// let login = host.context().secrets().basic("ada", "PASSWORD").unwrap();
    /// assert_eq!(login, host.basic_placeholder("ada", "PASSWORD"));
    /// ```
    pub fn basic_placeholder(&self, user: &str, name: &str) -> String {
        format!("placeholder-of-basic-{user}-{name}")
    }
}

/// What the context calls.
impl Host {
    pub(crate) fn secret_text(&self, name: &str) -> Result<String, Error> {
        self.secret_reveal(name).map(|_| self.secret_placeholder(name))
    }

    pub(crate) fn secret_basic(&self, user: &str, name: &str) -> Result<String, Error> {
        if user.contains(|c: char| c == ':' || c.is_control()) {
            let message = "a user name has no colon and no control character".to_owned();
            return Err(Error { code: "invalid-user".to_owned(), message });
        }
        self.secret_reveal(name).map(|_| self.basic_placeholder(user, name))
    }

    pub(crate) fn secret_hmac_sha256(&self, name: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let key = key(name, &self.secret_reveal(name)?)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
        mac.update(data);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    pub(crate) fn secret_reveal(&self, name: &str) -> Result<String, Error> {
        let missing =
            || Error { code: "missing".to_owned(), message: format!("there is no secret \"{name}\"") };
        self.look().secrets.get(name).cloned().ok_or_else(missing)
    }
}

/// The key that a secret's text stands for.
fn key(name: &str, value: &str) -> Result<Vec<u8>, Error> {
    let Some(encoded) = value.strip_prefix("whsec_").or_else(|| value.strip_prefix("base64:")) else {
        return Ok(value.as_bytes().to_vec());
    };
    STANDARD_NO_PAD.decode(encoded.trim().trim_end_matches('=')).map_err(|error| Error {
        code: "invalid-secret".to_owned(),
        message: format!("the secret \"{name}\" is not Base64 behind its prefix: {error}"),
    })
}
