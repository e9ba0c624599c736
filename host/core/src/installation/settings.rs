//! The settings of one installation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::defaults::ParameterDefaults;
use super::endpoint::Endpoint;
use crate::vocabulary::Environment;

/// As an installer writes them. Values under `environments` are laid over the others in executions there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Fits the manifest's `config` schema.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// The plugin's name of a secret → the tenant's. Not named: the same.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// By host as documents name it, with its port when that is not the scheme's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, Endpoint>,
    /// For parameters that a step leaves out. The first that can be used wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<ParameterDefaults>,
    /// Put before every key of the plugin's key-value store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Names of the tenant's artifacts that it may read, by their beginnings. None: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_prefixes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<Environment, Settings>,
}

impl Settings {
    /// What holds in executions of this environment.
    pub fn of(&self, environment: Environment) -> Self {
        let mut all = Self { environments: BTreeMap::new(), ..self.clone() };
        let Some(own) = self.environments.get(&environment) else { return all };
        merge(&mut all.config, &own.config);
        all.secrets.extend(own.secrets.clone());
        all.endpoints.extend(own.endpoints.clone());
        all.defaults.splice(..0, own.defaults.iter().cloned());
        all.key_prefix = own.key_prefix.clone().or(all.key_prefix);
        all.artifact_prefixes = own.artifact_prefixes.clone().or(all.artifact_prefixes);
        all
    }

    /// The tenant's name for a secret of the plugin.
    pub fn secret<'a>(&'a self, name: &'a str) -> &'a str {
        self.secrets.get(name).map_or(name, String::as_str)
    }
}

/// JSON Merge Patch (RFC 7396): null takes a value away.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (value, target.get_mut(name)) {
            (Value::Null, _) => drop(target.shift_remove(name)),
            (Value::Object(inner), Some(Value::Object(known))) => merge(known, inner),
            (Value::Object(inner), _) => {
                let mut made = Map::new();
                merge(&mut made, inner);
                target.insert(name.clone(), Value::Object(made));
            }
            (other, _) => drop(target.insert(name.clone(), other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn an_environment_lays_its_values_over_the_others() {
        let settings: Settings = from_value(json!({
            "config": { "region": "eu", "limits": { "a": 1, "b": 2 } },
            "secrets": { "TOKEN": "TEST_TOKEN" },
            "defaults": [{ "action": "deploy", "parameters": { "replicas": 1 } }],
            "environments": { "production": {
                "config": { "region": null, "limits": { "b": 3 } },
                "secrets": { "TOKEN": "LIVE_TOKEN" },
                "defaults": [{ "action": "deploy", "parameters": { "replicas": 3 } }],
                "key_prefix": "live/"
            } }
        }))
        .unwrap();
        assert_eq!(to_value(settings.of(Environment::Test)).unwrap()["config"]["region"], "eu");
        let live = settings.of(Environment::Production);
        assert_eq!(Value::Object(live.config.clone()), json!({ "limits": { "a": 1, "b": 3 } }));
        assert_eq!((live.secret("TOKEN"), live.secret("OTHER")), ("LIVE_TOKEN", "OTHER"));
        assert_eq!(live.defaults[0].parameters["replicas"], 3);
        assert_eq!(live.key_prefix.as_deref(), Some("live/"));
        assert!(live.environments.is_empty());
    }
}
