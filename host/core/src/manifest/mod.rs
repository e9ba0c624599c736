//! The manifest of a plugin: what it says of itself, read before anything of it is compiled or run.

mod capabilities;
mod check;
mod host_pattern;
mod schema;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use capabilities::{Capabilities, HttpDeclaration, SecretDeclaration, SecretPlace};
pub use check::{is_kebab, is_secret_name};
pub use host_pattern::{HostPattern, HostPatternError, RequestTarget};
pub use schema::manifest_schema;

/// The format that this host reads.
pub const MANIFEST_VERSION: u32 = 1;

/// Name of the component-level custom section that holds the manifest as JSON text.
pub const MANIFEST_SECTION: &str = "quantum:manifest";

/// One plugin: `namespace:name`, an exact version, and its actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub manifest_version: u32,
    /// `namespace:name`, for example `quantum:http`.
    pub id: String,
    /// Exact semantic version without build metadata.
    pub version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub publisher: String,
    pub actions: Vec<ActionManifest>,
    #[serde(default)]
    pub capabilities: Capabilities,
    /// JSON Schema of the installation's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Bytes of all memories together that an attempt needs, when the default does not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
    /// WIT packages that it was built against, for example `quantum:plugin` → `1.0.0`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wit: BTreeMap<String, String>,
}

/// One action of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionManifest {
    /// Kebab-case, for example `http-request`.
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema (2020-12) of the parameters.
    pub parameters: Value,
    /// JSON Schema of the result.
    pub result: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The same idempotency key gives the same effect: traps and timeouts are retried too.
    #[serde(default)]
    pub idempotent: bool,
    #[serde(default)]
    pub effects: Effects,
    #[serde(default = "yes")]
    pub side_effects: bool,
    #[serde(default)]
    pub reversible: bool,
    /// The action looks at `context.dry-run` and has no side effects then.
    #[serde(default)]
    pub dry_run: bool,
}

/// How often an attempt may happen when its result was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    #[default]
    AtLeastOnce,
    /// Never run again by itself.
    AtMostOnce,
}

fn yes() -> bool {
    true
}

impl Manifest {
    /// The action of this name or alias.
    pub fn action(&self, name: &str) -> Option<&ActionManifest> {
        self.actions
            .iter()
            .find(|action| action.name == name || action.aliases.iter().any(|alias| alias == name))
    }
}
