//! A tenant's actions in memory: the port's other implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use quantum_core::id::{Digest, TenantId};
use quantum_core::manifest::{ActionManifest, Effects};
use quantum_core::port::{ActionDirectory, ActionEntry, Grant, Resolution};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::{Signature, Trust};
use serde_json::{Value, json};

pub fn tenant() -> TenantId {
    TenantId::new("tenant-123").unwrap()
}

/// Bare and qualified names; a bare name with two entries is ambiguous.
#[derive(Default)]
pub struct Actions(BTreeMap<String, Vec<Arc<ActionEntry>>>);

impl Actions {
    /// One of each kind that a rule or the machine tells apart.
    pub fn installed() -> Self {
        let mut actions = Self::default();
        actions.add("quantum:http", "http-request", http_request(), |_| {});
        actions.add("quantum:transform", "transform", json!({"type": "object"}), |_| {});
        actions.add("acme:chat", "notify", json!({"type": "object"}), |_| {});
        actions.add("other:mail", "notify", json!({"type": "object"}), |_| {});
        actions.add("test:plain", "plain", json!({"type": "object"}), |_| {});
        actions.add("test:plain", "strict", strict(), |_| {});
        actions.add("test:plain", "idempotent", json!({"type": "object"}), |a| a.idempotent = true);
        actions.add("test:plain", "once", json!({"type": "object"}), |a| a.effects = Effects::AtMostOnce);
        actions.add("test:plain", "reader", json!({"type": "object"}), |a| a.side_effects = false);
        actions.add("test:plain", "rehearsed", json!({"type": "object"}), |a| a.dry_run = true);
        actions.add("test:plain", "idempotent-once", json!({"type": "object"}), |action| {
            action.idempotent = true;
            action.effects = Effects::AtMostOnce;
        });
        actions
    }

    fn add(&mut self, plugin: &str, name: &str, parameters: Value, change: impl Fn(&mut ActionManifest)) {
        let mut manifest: ActionManifest =
            serde_json::from_value(json!({ "name": name, "parameters": parameters, "result": {} })).unwrap();
        change(&mut manifest);
        let entry = Arc::new(ActionEntry {
            plugin: plugin.to_owned(),
            version: "1.0.0".to_owned(),
            component: Digest::new(format!("sha256:{}", "a".repeat(64))).unwrap(),
            parameters: Schema::compile(&manifest.parameters).unwrap(),
            result: Schema::compile(&manifest.result).unwrap(),
            manifest,
            trust: Trust::Builtin,
            signature: Signature::Verified,
            grant: Grant::default(),
            settings: Arc::default(),
        });
        for known_as in [name.to_owned(), format!("{plugin}/{name}")] {
            self.0.entry(known_as).or_default().push(entry.clone());
        }
    }

    pub fn entry(&self, name: &str) -> Arc<ActionEntry> {
        self.0[name][0].clone()
    }
}

impl ActionDirectory for Actions {
    fn resolve(&self, _: &TenantId, name: &str) -> Resolution {
        match self.0.get(name).map(Vec::as_slice) {
            None | Some([]) => Resolution::Unknown,
            Some([entry]) => Resolution::Found(entry.clone()),
            Some(entries) => {
                Resolution::Ambiguous(entries.iter().map(|e| format!("{}/{name}", e.plugin)).collect())
            }
        }
    }

    fn pinned(&self, _: &TenantId, component: &Digest, action: &str) -> Option<Arc<ActionEntry>> {
        self.0.get(action)?.iter().find(|entry| entry.component == *component).cloned()
    }

    fn names(&self, _: &TenantId) -> Vec<String> {
        self.0.keys().filter(|name| !name.contains('/')).cloned().collect()
    }
}

fn strict() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["n"],
        "properties": { "n": { "type": "integer", "minimum": 0 } }
    })
}

/// As a derived schema looks: nested objects are references.
fn http_request() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["url"],
        "properties": {
            "url": { "type": "string", "minLength": 1 },
            "method": { "enum": ["GET", "POST", "PUT", "DELETE"] },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "body": {},
            "expect_status": { "type": "integer", "minimum": 100, "maximum": 599 },
            "tls": { "$ref": "#/$defs/Tls" }
        },
        "$defs": {
            "Tls": {
                "type": "object", "additionalProperties": false,
                "properties": { "minimum_version": { "enum": ["1.2", "1.3"] } }
            }
        }
    })
}
