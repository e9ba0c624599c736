//! Secrets, from inside a component: the values stay outside.

use super::Host;
use crate::bindings::quantum::secrets::{reveal, secrets};
use crate::secrets::Error;

impl Host {
    pub fn secret_text(&self, name: &str) -> Result<String, Error> {
        secrets::placeholder(name).map_err(error)
    }

    pub fn secret_basic(&self, user: &str, name: &str) -> Result<String, Error> {
        secrets::basic(user, name).map_err(error)
    }

    pub fn secret_hmac_sha256(&self, name: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        secrets::hmac_sha256(name, data).map_err(error)
    }

    pub fn secret_reveal(&self, name: &str) -> Result<String, Error> {
        reveal::reveal(name).map_err(|error| Error { code: error.code, message: error.message })
    }
}

fn error(error: secrets::SecretError) -> Error {
    Error { code: error.code, message: error.message }
}
