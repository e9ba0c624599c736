//! What a case must leave behind: `stored-artifacts.json` and `stored-kv.json`, held against what is stored.

use std::collections::BTreeMap;

use quantum_core::id::TenantId;
use serde_json::{Map, Value, json};

use super::case::Case;
use super::compare::{difference, difference_in_named};
use super::error::Error;
use super::memory::Memory;

/// None: not looked at.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// By name, or by digest; of each the fields that the file names: `digest`, `media_type`, `size`.
    artifacts: Option<Map<String, Value>>,
    /// By key, with the installation's prefix. A text is compared as text, anything else as JSON.
    key_values: Option<Map<String, Value>>,
}

impl Left {
    pub fn read(case: &Case, server: &str) -> Result<Self, Error> {
        Ok(Self {
            artifacts: case.read_if_there("stored-artifacts.json", server)?,
            key_values: case.read_if_there("stored-kv.json", server)?,
        })
    }

    /// What is there otherwise than expected.
    pub fn complaints(&self, memory: &Memory, tenant: &TenantId) -> Vec<String> {
        let mut complaints = Vec::new();
        if let Some(expected) = &self.artifacts {
            complaints.extend(compare_artifacts(expected, memory, tenant));
        }
        if let Some(expected) = &self.key_values {
            complaints.extend(compare_values(expected, memory, tenant));
        }
        complaints
    }
}

/// What has no name is looked at only when it is named by its digest.
fn compare_artifacts(expected: &Map<String, Value>, memory: &Memory, tenant: &TenantId) -> Vec<String> {
    let stored: BTreeMap<String, Value> = memory
        .artifacts
        .stored(tenant)
        .into_iter()
        .map(|(name, info)| {
            let fields = json!({ "digest": info.digest, "media_type": info.media_type, "size": info.size });
            (name, fields)
        })
        .collect();
    let surplus = stored.keys().filter(|name| !expected.contains_key(*name) && !name.starts_with("sha256:"));
    let surplus = surplus.map(|name| format!("stored-artifacts.json: \"{name}\" is not expected"));
    let differing = expected.iter().filter_map(|(name, fields)| {
        let found = match stored.get(name) {
            Some(stored) => difference_in_named(fields, stored)?,
            None => "nothing is stored".to_owned(),
        };
        Some(format!("stored-artifacts.json: \"{name}\": {found}"))
    });
    differing.chain(surplus).collect()
}

fn compare_values(expected: &Map<String, Value>, memory: &Memory, tenant: &TenantId) -> Option<String> {
    let stored = memory.key_values.stored(tenant).into_iter().map(|(key, bytes)| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let as_json = expected.get(&key).is_some_and(|expected| !expected.is_string());
        let json = as_json.then(|| serde_json::from_str(&text).ok()).flatten();
        (key, json.unwrap_or(Value::String(text)))
    });
    let stored = Value::Object(stored.collect());
    let found = difference(&Value::Object(expected.clone()), &stored)?;
    Some(format!("stored-kv.json: {found}"))
}

#[cfg(test)]
mod tests {
    use quantum_core::port::KeyValueSpace;

    use super::*;

    /// Complaints about a tenant that has one value and no artifact of an execution.
    fn check(artifacts: Value, key_values: Value) -> Vec<String> {
        let (memory, tenant) = (Memory::default(), TenantId::new("t").unwrap());
        let space = KeyValueSpace { tenant: tenant.clone(), plugin: "a:b".to_owned() };
        memory.key_values.put(&space, "seen", b"{\"n\":1}".to_vec()).unwrap();
        let map = |value: Value| value.as_object().cloned();
        Left { artifacts: map(artifacts), key_values: map(key_values) }.complaints(&memory, &tenant)
    }

    #[test]
    fn what_is_missing_differs_or_is_too_much_is_told() {
        for (artifacts, key_values, told) in [
            (Value::Null, Value::Null, vec![]),
            (json!({}), json!({ "seen": { "n": 1 } }), vec![]),
            (json!({}), json!({ "seen": "{\"n\":1}" }), vec![]),
            (json!({}), json!({ "seen": "<any>" }), vec![]),
            (Value::Null, json!({}), vec!["stored-kv.json: /seen is not expected"]),
            (
                json!({ "report": {} }),
                json!({ "seen": { "n": 2 } }),
                vec![
                    "stored-artifacts.json: \"report\": nothing is stored",
                    "stored-kv.json: /seen/n: expected 2, got 1",
                ],
            ),
        ] {
            assert_eq!(check(artifacts, key_values), told);
        }
    }
}
