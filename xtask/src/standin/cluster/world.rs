//! What the cluster holds, with a version for every change of it.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::deployment::{check, complete, generation};
use super::objects::{now, set};
use super::path::Target;
use super::status::{Status, expired, no_namespace};

/// Changes that are remembered for watches. Who watches from before them is told that it is too late.
const CHANGES_MAX: usize = 1_000;

pub struct World {
    namespaces: Vec<String>,
    /// Of the newest change of anything.
    version: u64,
    deployments: BTreeMap<(String, String), Value>,
    /// By namespace and Deployment, in the order of their making.
    replica_sets: BTreeMap<(String, String), Vec<Value>>,
    changes: VecDeque<Change>,
    /// Of the newest change that is forgotten.
    forgotten: u64,
}

/// What a watch tells.
#[derive(Debug, Clone)]
pub struct Change {
    pub version: u64,
    pub kind: &'static str,
    pub object: Value,
}

/// What a write led to.
pub struct Written {
    /// Whether the object is new.
    pub created: bool,
    pub object: Value,
}

impl World {
    pub const fn new(namespaces: Vec<String>) -> Self {
        Self {
            namespaces,
            version: 0,
            deployments: BTreeMap::new(),
            replica_sets: BTreeMap::new(),
            changes: VecDeque::new(),
            forgotten: 0,
        }
    }

    pub const fn version(&self) -> u64 {
        self.version
    }

    pub fn deployment(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.deployments.get(&(namespace.to_owned(), name.to_owned()))
    }

    pub fn deployments<'w>(&'w self, namespace: &'w str) -> impl Iterator<Item = &'w Value> {
        self.deployments.iter().filter(move |((known, _), _)| known == namespace).map(|(_, object)| object)
    }

    pub fn replica_sets(&self, namespace: &str) -> Vec<&Value> {
        let sets = self.replica_sets.iter().filter(|((known, _), _)| known == namespace);
        sets.flat_map(|(_, sets)| sets).collect()
    }

    pub fn replica_sets_of(&self, target: &Target) -> Vec<Value> {
        self.replica_sets.get(&key(target)).cloned().unwrap_or_default()
    }

    pub fn set_replica_sets(&mut self, target: &Target, sets: Vec<Value>) {
        self.replica_sets.insert(key(target), sets);
    }

    /// What a client wants. A write that changes nothing is no change. Err: 404 without the namespace, 422.
    pub fn write(&mut self, target: &Target, mut object: Value, dry_run: bool) -> Result<Written, Status> {
        if !self.namespaces.contains(&target.namespace) {
            return Err(no_namespace(&target.namespace));
        }
        let live = self.deployments.get(&key(target)).cloned();
        complete(&mut object, target);
        check(&object, live.as_ref(), target)?;
        if live.is_none() {
            set(&mut object, "/metadata", "uid", json!(uid()));
            set(&mut object, "/metadata", "creationTimestamp", json!(now()));
        }
        let generation = generation(&object, live.as_ref());
        set(&mut object, "/metadata", "generation", json!(generation));
        let created = live.is_none();
        if live.as_ref() == Some(&object) || dry_run {
            return Ok(Written { created, object });
        }
        Ok(Written { created, object: self.store(target, object) })
    }

    /// Gives the object its version, and tells the watches.
    pub fn store(&mut self, target: &Target, mut object: Value) -> Value {
        self.version += 1;
        set(&mut object, "/metadata", "resourceVersion", json!(self.version.to_string()));
        let before = self.deployments.insert(key(target), object.clone());
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.changes.push_back(Change { version: self.version, kind, object: object.clone() });
        if self.changes.len() > CHANGES_MAX {
            self.forgotten = self.changes.pop_front().map_or(self.forgotten, |change| change.version);
        }
        object
    }

    /// Err: 410.
    pub fn changes_after(&self, version: u64) -> Result<Vec<Change>, Status> {
        if version < self.forgotten {
            return Err(expired(version, self.forgotten));
        }
        Ok(self.changes.iter().filter(|change| change.version > version).cloned().collect())
    }
}

fn key(target: &Target) -> (String, String) {
    (target.namespace.clone(), target.name.clone())
}

/// Of the form of a UUID, version 4.
pub fn uid() -> String {
    let bits = format!("{:032x}", fastrand::u128(..));
    let part = |from: usize, to: usize| bits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
