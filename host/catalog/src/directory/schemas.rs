//! Schemas of actions, compiled once for each component, however many tenants installed it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use quantum_core::id::Digest;
use quantum_core::json::pointer;
use quantum_core::manifest::{ActionManifest, Manifest};
use quantum_core::problem::Finding;
use quantum_core::schema::Schema;
use serde_json::Value;

/// Parameters and result of each action, in the manifest's order.
#[derive(Debug)]
pub(super) struct Schemas {
    actions: Vec<(Schema, Schema)>,
}

impl Schemas {
    fn compile(manifest: &Manifest) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut one = |at: usize, key: &str, source: &Value| {
            let place = pointer(&pointer("/actions", at), key);
            Schema::compile(source)
                .map_err(|why| findings.push(Finding::error(place, "manifest-schema", why)))
                .ok()
        };
        let mut actions = Vec::new();
        for (at, action) in manifest.actions.iter().enumerate() {
            let both = (one(at, "parameters", &action.parameters), one(at, "result", &action.result));
            if let (Some(parameters), Some(result)) = both {
                actions.push((parameters, result));
            }
        }
        if findings.is_empty() { Ok(Self { actions }) } else { Err(findings) }
    }

    pub fn actions(&self) -> impl Iterator<Item = &(Schema, Schema)> {
        self.actions.iter()
    }

    /// The digest covers the manifest, so this holds, unless a caller pairs a manifest with a foreign digest.
    fn fits(&self, manifest: &Manifest) -> bool {
        let same = |(compiled, action): (&(Schema, Schema), &ActionManifest)| {
            *compiled.0.source() == action.parameters && *compiled.1.source() == action.result
        };
        self.actions.len() == manifest.actions.len() && self.actions.iter().zip(&manifest.actions).all(same)
    }
}

/// What is in use somewhere.
#[derive(Debug, Default)]
pub(super) struct SchemaCache {
    by_component: HashMap<Digest, Weak<Schemas>>,
}

impl SchemaCache {
    /// Err: what does not compile.
    pub fn get(&mut self, manifest: &Manifest, component: &Digest) -> Result<Arc<Schemas>, Vec<Finding>> {
        let known = self.by_component.get(component).and_then(Weak::upgrade);
        if let Some(known) = known.filter(|known| known.fits(manifest)) {
            return Ok(known);
        }
        let made = Arc::new(Schemas::compile(manifest)?);
        self.by_component.insert(component.clone(), Arc::downgrade(&made));
        Ok(made)
    }

    /// Forgets components that nobody has any more.
    pub fn prune(&mut self) {
        self.by_component.retain(|_, schemas| schemas.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(parameter_type: &str) -> Manifest {
        let action = json!({ "name": "a", "parameters": { "type": parameter_type }, "result": {} });
        serde_json::from_value(
            json!({ "manifest_version": 1, "id": "a:b", "version": "1.0.0", "actions": [action] }),
        )
        .unwrap()
    }

    fn digest(digit: &str) -> Digest {
        Digest::new(format!("sha256:{}", digit.repeat(64))).unwrap()
    }

    #[test]
    fn a_component_is_compiled_once_and_forgotten_with_its_last_user() {
        let mut cache = SchemaCache::default();
        let first = cache.get(&manifest("object"), &digest("1")).unwrap();
        let second = cache.get(&manifest("object"), &digest("1")).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &cache.get(&manifest("object"), &digest("2")).unwrap()));
        cache.prune();
        assert_eq!(cache.by_component.len(), 1, "the one in use");
        drop((first, second));
        cache.prune();
        assert_eq!(cache.by_component.len(), 0);
    }

    #[test]
    fn a_manifest_with_a_foreign_digest_gets_its_own_schemas() {
        let mut cache = SchemaCache::default();
        let _kept = cache.get(&manifest("object"), &digest("1")).unwrap();
        let other = cache.get(&manifest("string"), &digest("1")).unwrap();
        assert!(other.actions().all(|(parameters, _)| parameters.is_valid(&json!("text"))));
    }
}
