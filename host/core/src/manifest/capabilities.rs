//! What a plugin asks for. Undeclared capabilities are never linked.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Capability;

/// The declared capabilities of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpDeclaration>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kv: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub artifacts: bool,
    /// Secrets that it uses through placeholders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretDeclaration>,
    /// Names of secrets that it wants to see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
}

/// Where a plugin wants to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpDeclaration {
    /// Fixed patterns such as `https://api.example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Names of slots that the installer fills with patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<String>,
    /// Bytes of the largest answer that it reads, when the default does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes_max: Option<u64>,
}

/// A secret that the plugin uses without seeing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretDeclaration {
    /// The plugin's own name for it; the installer says which secret of the tenant it is.
    pub name: String,
    /// Where in a request the host puts the value in.
    #[serde(default = "header")]
    pub places: Vec<SecretPlace>,
}

/// A part of an outgoing request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    Header,
    Query,
    Body,
}

fn header() -> Vec<SecretPlace> {
    vec![SecretPlace::Header]
}

impl Capabilities {
    /// The declared ones, as the policies' words.
    pub fn declared(&self) -> Vec<Capability> {
        let asked = [
            (self.http.is_some(), Capability::Http),
            (self.kv, Capability::Kv),
            (self.artifacts, Capability::Artifacts),
            (!self.secrets.is_empty(), Capability::SecretsUse),
            (!self.reveal.is_empty(), Capability::SecretsReveal),
            (self.clock, Capability::Clock),
            (self.random, Capability::Random),
        ];
        asked.into_iter().filter(|(declared, _)| *declared).map(|(_, capability)| capability).collect()
    }
}
