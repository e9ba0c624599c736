//! Values that a document may write in the natural way and Kubernetes wants as text.

use quantum_sdk::prelude::*;
use serde_json::{Number, Value, json};

/// Text, or a number or a boolean that is meant as text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string, a number or a boolean")]
pub enum Scalar {
    Text(String),
    Number(Number),
    Flag(bool),
}

impl Scalar {
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// The value of an environment variable, or where the cluster has it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a string, a number, a boolean, { \"secret\": NAME, \"key\": KEY } or \
                 { \"config_map\": NAME, \"key\": KEY }"
)]
pub enum Variable {
    Plain(Scalar),
    Secret(SecretKey),
    ConfigMap(ConfigMapKey),
}

/// A key of one of the cluster's secrets, which never leaves the cluster.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    /// Name of the secret in the Deployment's namespace.
    secret: String,
    key: String,
}

/// A key of a ConfigMap.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigMapKey {
    /// Name of the ConfigMap in the Deployment's namespace.
    config_map: String,
    key: String,
}

impl Variable {
    /// An entry of a container's `env`.
    pub fn entry(&self, name: &str) -> Value {
        let reference = |kind: &str, object: &str, key: &str| json!({ "name": name, "valueFrom": { kind: { "name": object, "key": key } } });
        match self {
            Self::Plain(value) => json!({ "name": name, "value": value.text() }),
            Self::Secret(SecretKey { secret, key }) => reference("secretKeyRef", secret, key),
            Self::ConfigMap(ConfigMapKey { config_map, key }) => {
                reference("configMapKeyRef", config_map, key)
            }
        }
    }
}
