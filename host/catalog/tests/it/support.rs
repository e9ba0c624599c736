//! A catalog with two tenants, and short ways to make documents, plugins and acts.

use std::sync::Arc;

use quantum_catalog::{
    Act, Activation, Bundled, Catalog, Consent, Creation, Directory, Error, Install, NewDocument,
    StoredIntent, Tenant,
};
use quantum_core::id::{Digest, IntentUid, PrincipalId, TenantId};
use quantum_core::installation::Settings;
use quantum_core::intent::IntentRef;
use quantum_core::manifest::{HostPattern, Manifest};
use quantum_core::port::Grant;
use quantum_core::problem::Finding;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Capability;
use quantum_store::{Store, StoreOptions, TenantScope};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub struct World {
    pub catalog: Catalog,
    pub store: Store,
    pub scope: TenantScope,
    pub other: TenantScope,
    _folder: TempDir,
}

/// With the bundled plugin `quantum:http` 1.0.0, whose action is `http-request` (alias `fetch`).
pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(folder.path().join("quantum.db"))).await.unwrap();
    let directory = Arc::new(Directory::open(&store, bundled()).await.unwrap());
    let catalog = Catalog::new(store.clone(), directory);
    for id in ["tenant-a", "tenant-b"] {
        let tenant = Tenant { id: TenantId::new(id).unwrap(), name: id.to_owned(), created_at: at(0) };
        catalog.tenants().create(tenant).await.unwrap();
    }
    World { catalog, store, scope: scope("tenant-a"), other: scope("tenant-b"), _folder: folder }
}

pub fn scope(tenant: &str) -> TenantScope {
    TenantScope::for_tests(TenantId::new(tenant).unwrap())
}

pub fn bundled() -> Vec<Bundled> {
    vec![Bundled {
        manifest: http_plugin("1.0.0"),
        component: digest(1),
        grant: Grant {
            capabilities: vec![Capability::Http],
            hosts: hosts(&["http://127.0.0.1:*"]),
            ..Grant::default()
        },
        settings: Settings::default(),
    }]
}

pub fn http_plugin(version: &str) -> Manifest {
    plugin(json!({
        "id": "quantum:http", "version": version,
        "actions": [action("http-request", &["fetch"], "url")],
        "capabilities": { "http": { "slots": ["target"] } },
    }))
}

/// `fields` over a manifest of version 1.0.0.
pub fn plugin(fields: Value) -> Manifest {
    let mut manifest = json!({ "manifest_version": 1, "version": "1.0.0" });
    manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(manifest).unwrap()
}

/// An action with one required parameter, a string.
pub fn action(name: &str, aliases: &[&str], parameter: &str) -> Value {
    json!({
        "name": name, "aliases": aliases, "result": {},
        "parameters": {
            "type": "object", "additionalProperties": false,
            "properties": { parameter: { "type": "string" } }, "required": [parameter],
        },
    })
}

pub fn digest(number: u64) -> Digest {
    Digest::new(format!("sha256:{number:064x}")).unwrap()
}

pub fn hosts(patterns: &[&str]) -> Vec<HostPattern> {
    patterns.iter().map(|pattern| HostPattern::parse(pattern).unwrap()).collect()
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_763_892_000_000 + millis)
}

pub fn ann() -> PrincipalId {
    PrincipalId::new("ann").unwrap()
}

pub fn act() -> Act {
    Act { by: ann(), at: at(1), if_match: None, idempotency: None }
}

pub fn if_match(revision: u64) -> Act {
    Act { if_match: Some(revision), ..act() }
}

pub fn uid(number: u128) -> IntentUid {
    IntentUid::from_uuid(Uuid::from_u128(number))
}

pub fn reference(text: &str) -> IntentRef {
    IntentRef::parse(text).unwrap()
}

/// A document with one step that gets `url`.
pub fn fetching(name: &str, url: &str) -> Value {
    json!({ "name": name, "definition": { "steps": [{ "action": "http-request", "url": url }] } })
}

impl World {
    pub async fn create(&self, source: &Value) -> Result<Creation, Error> {
        let new = NewDocument { source, uid: next_uid(), activation: Activation::Now };
        self.catalog.intents(&self.scope).create(new, act()).await
    }

    /// Creates what must not exist yet.
    pub async fn created(&self, source: &Value) -> StoredIntent {
        match self.create(source).await.unwrap() {
            Creation::Created { intent, .. } => intent,
            Creation::Existing(intent) => panic!("{} exists", intent.id),
        }
    }

    /// PUT, active at once.
    pub async fn put(&self, name: &str, source: &Value) -> StoredIntent {
        let intents = self.catalog.intents(&self.scope);
        intents.replace(&reference(name), source, Activation::Now, act()).await.unwrap().intent
    }

    pub async fn get(&self, name: &str) -> StoredIntent {
        self.catalog.intents(&self.scope).get(&reference(name)).await.unwrap()
    }

    /// Installs with the given hosts.
    pub async fn install(&self, manifest: Manifest, component: Digest, allowed: &[&str]) {
        let consent = Consent { hosts: hosts(allowed), ..Consent::default() };
        let install = Install { manifest, component, consent, installed_by: ann() };
        self.catalog.installations(&self.scope).install(install, at(2)).await.unwrap();
    }
}

pub fn next_uid() -> IntentUid {
    IntentUid::from_uuid(Uuid::now_v7())
}

/// Findings as `severity pointer code`.
pub fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{:?} {} {}", f.severity, f.pointer, f.code)).collect()
}

/// The error of a use case that must be refused, as its code and what a person reads.
pub fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> (&'static str, String) {
    let error = result.unwrap_err();
    let hint = error.hint().unwrap_or_default();
    (error.code(), format!("{error}; {hint}"))
}
