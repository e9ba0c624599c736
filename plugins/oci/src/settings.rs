//! What an installation may say.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use quantum_sdk::prelude::*;

use crate::reference::registry_name;

/// The secret with the password of every registry that this installation identifies at.
pub const PASSWORD: &str = "REGISTRY_PASSWORD";
/// Bytes of a context's tar, unpacked, where nothing else is configured. More is refused.
const CONTEXT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of one piece of an upload where nothing else is configured: large enough to need few requests, small enough to
/// be sent again after a broken connection.
const CHUNK_BYTES: NonZeroU64 = NonZeroU64::new(8 * 1024 * 1024).expect("8 MiB is not zero");

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The artifact with an image's files, for steps that give no `context`.
    pub context: Option<String>,
    /// The image that images are built upon, for steps that give no `base`.
    pub base: Option<String>,
    /// Bytes of a context's tar, unpacked, at most.
    pub context_bytes_max: u64,
    /// Bytes of one piece of an upload; a blob that is not larger is sent whole.
    pub chunk_bytes: NonZeroU64,
    /// How to identify at registries, by `host[:port]`. Others are asked anonymously.
    pub registries: BTreeMap<String, RegistryConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            context: None,
            base: None,
            context_bytes_max: CONTEXT_BYTES_MAX,
            chunk_bytes: CHUNK_BYTES,
            registries: BTreeMap::new(),
        }
    }
}

/// How to identify at one registry.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegistryConfig {
    /// The user whose password is the secret `REGISTRY_PASSWORD`.
    pub username: Option<String>,
    /// By default `token` where there is a user, else `anonymous`.
    pub auth: Option<Auth>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// User and password with every request.
    Basic,
    /// What the registry asks for: a token that it names a service for, or user and password.
    Token,
    /// Neither user nor password; a token only where anyone gets one.
    Anonymous,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    Anonymous,
    Basic { user: String },
    Token { user: String },
}

impl Config {
    /// Who this installation is at a registry.
    pub fn identity(&self, registry: &str) -> Result<Identity> {
        let found = self.registries.iter().find(|(name, _)| registry_name(name).is_ok_and(|n| n == registry));
        let Some((_, RegistryConfig { username, auth })) = found else { return Ok(Identity::Anonymous) };
        let auth = auth.unwrap_or(if username.is_some() { Auth::Token } else { Auth::Anonymous });
        match (auth, username.clone()) {
            (Auth::Anonymous, _) => Ok(Identity::Anonymous),
            (Auth::Basic, Some(user)) => Ok(Identity::Basic { user }),
            (Auth::Token, Some(user)) => Ok(Identity::Token { user }),
            (Auth::Basic | Auth::Token, None) => {
                let message = format!(
                    "the installation's configuration has no registries.\"{registry}\".username: set it, or set \
                    auth to anonymous"
                );
                Err(Failure::permanent("invalid-config", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn identity(registries: Value) -> Result<Identity> {
        let config: Config = serde_json::from_value(json!({ "registries": registries })).unwrap();
        config.identity("azurecr.io")
    }

    #[test]
    fn an_identity_follows_from_what_is_written() {
        let user = || "ci".to_owned();
        for (registries, expected) in [
            (json!({}), Identity::Anonymous),
            (json!({ "other.io": { "username": "ci" } }), Identity::Anonymous),
            (json!({ "azurecr.io": {} }), Identity::Anonymous),
            (json!({ "AzureCR.io": { "username": "ci" } }), Identity::Token { user: user() }),
            (
                json!({ "azurecr.io": { "username": "ci", "auth": "basic" } }),
                Identity::Basic { user: user() },
            ),
            (json!({ "azurecr.io": { "username": "ci", "auth": "anonymous" } }), Identity::Anonymous),
        ] {
            assert_eq!(identity(registries.clone()).unwrap(), expected, "{registries}");
        }
    }

    #[test]
    fn a_password_without_a_user_is_refused() {
        let failure = identity(json!({ "azurecr.io": { "auth": "basic" } })).unwrap_err();
        let problem = failure.problem().unwrap();
        assert_eq!(problem.code, "invalid-config");
        assert!(problem.message.contains("registries.\"azurecr.io\".username"), "{}", problem.message);
    }

    #[test]
    fn chunks_of_nothing_are_refused() {
        assert!(serde_json::from_value::<Config>(json!({ "chunk_bytes": 0 })).is_err());
    }
}
