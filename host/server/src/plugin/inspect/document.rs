//! A packed plugin as one JSON document: what `inspect` prints, for programs.

use std::collections::BTreeSet;

use quantum_core::manifest::HostPattern;
use quantum_core::vocabulary::Capability;
use quantum_marketplace::Inspection;
use quantum_sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::plugin::contract::bound;

/// A capability, as the manifest has it and as the binary proves it. At least one of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compared {
    pub capability: Capability,
    pub declared: bool,
    pub proven: bool,
}

pub(super) fn capabilities(inspection: &Inspection) -> Vec<Compared> {
    let declared = inspection.manifest.capabilities.declared();
    let compared = Capability::ALL.iter().map(|capability| Compared {
        capability: *capability,
        declared: declared.contains(capability),
        proven: inspection.proven.contains(capability),
    });
    compared.filter(|one| one.declared || one.proven).collect()
}

/// A package of WIT: as the manifest names it, and as the binary imports or exports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub name: String,
    pub declared: Option<String>,
    pub bound: Option<String>,
}

impl Package {
    /// The manifest says another version than the binary has. A package that is only declared is one that the
    /// compiler left out, because nothing of it is used.
    pub fn differs(&self) -> bool {
        self.declared.is_some() && self.bound.is_some() && self.declared != self.bound
    }
}

pub(super) fn packages(inspection: &Inspection) -> Vec<Package> {
    let (said, bound) = (&inspection.manifest.wit, bound(inspection));
    let names: BTreeSet<&String> = said.keys().chain(bound.keys()).collect();
    let package = |name: &String| Package {
        name: name.clone(),
        declared: said.get(name).cloned(),
        bound: bound.get(name).cloned(),
    };
    names.into_iter().map(package).collect()
}

/// What a host pattern allows: its methods (none: every one), and where.
pub(super) fn host(pattern: &str) -> (Vec<String>, &str) {
    let methods = HostPattern::parse(pattern).map(|pattern| pattern.methods().to_vec()).unwrap_or_default();
    let target = if methods.is_empty() { pattern } else { pattern.rsplit(' ').next().unwrap_or(pattern) };
    (methods, target)
}

/// Bytes of all memories of an attempt together.
pub(super) fn memory_bytes(inspection: &Inspection) -> u64 {
    let SandboxOptions { memory_bytes_default, memory_bytes_ceiling, .. } = SandboxOptions::default();
    inspection.manifest.memory_bytes_max.unwrap_or(memory_bytes_default).min(memory_bytes_ceiling)
}

pub(super) fn document(inspection: &Inspection) -> Value {
    let declared = &inspection.manifest.capabilities;
    let capability = |one: &Compared| json!({ "capability": one.capability.as_str(), "declared": one.declared, "proven": one.proven });
    let http = declared.http.as_ref().map(|http| {
        let hosts = http.hosts.iter().map(|pattern| {
            let (methods, target) = host(pattern);
            json!({ "pattern": pattern, "methods": methods, "target": target })
        });
        json!({
            "hosts": hosts.collect::<Vec<_>>(),
            "slots": http.slots,
            "response_bytes_max": http.response_bytes_max,
        })
    });
    let wit = |one: &Package| json!({ "package": one.name, "declared": one.declared, "bound": one.bound });
    json!({
        "id": inspection.manifest.id,
        "version": inspection.manifest.version,
        "digest": inspection.digest,
        "size_bytes": inspection.size_bytes,
        "memory_bytes_max": memory_bytes(inspection),
        "capabilities": capabilities(inspection).iter().map(capability).collect::<Vec<_>>(),
        "http": http,
        "secrets": declared.secrets,
        "reveal": declared.reveal,
        "wit": packages(inspection).iter().map(wit).collect::<Vec<_>>(),
        "imports": inspection.imports,
        "callable": inspection.callable,
        "exports": inspection.exports,
        "findings": inspection.findings(),
        "manifest": inspection.manifest,
    })
}
