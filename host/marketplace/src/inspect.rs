//! A plugin as its file shows it: what it says, and what its imports prove.

use quantum_core::id::Digest;
use quantum_core::manifest::Manifest;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Capability;

use crate::digest::digest;
use crate::error::Error;
use crate::{gate, package, sections};

/// What can be known of a component without running it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    pub manifest: Manifest,
    /// Names with versions, as the component has them.
    pub imports: Vec<String>,
    /// Those of the imports that have something to call.
    pub callable: Vec<String>,
    pub exports: Vec<String>,
    /// Capabilities that the imports need: the component cannot use others.
    pub proven: Vec<Capability>,
    pub digest: Digest,
    pub size_bytes: usize,
}

/// Reads a component with a manifest.
pub fn inspect(component: &[u8]) -> Result<Inspection, Error> {
    let sections = sections::read(component)?;
    let manifest = package::parse(&sections.manifests)?;
    Ok(Inspection {
        manifest,
        proven: gate::proven(&sections.callable),
        imports: owned(sections.imports),
        callable: owned(sections.callable),
        exports: owned(sections.exports),
        digest: digest(component),
        size_bytes: component.len(),
    })
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

impl Inspection {
    /// All that is wrong with it: the manifest, the entry point, and imports that are not declared. It can be
    /// installed when none of them is an error.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.manifest.check();
        findings.extend(gate::exports(&self.exports));
        findings.extend(gate::imports(&self.callable, &self.manifest.capabilities));
        findings
    }
}
