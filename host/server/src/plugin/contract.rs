//! Which versions of the contract's packages a component was built against, as its imports and exports prove.

use std::collections::BTreeMap;

use quantum_marketplace::Inspection;

/// Package → version, for example `quantum:kv` → `1.0.0`; the packages of WASI too.
pub(super) fn bound(inspection: &Inspection) -> BTreeMap<String, String> {
    let names = inspection.imports.iter().chain(&inspection.exports);
    let packages = names.filter_map(|name| {
        let (path, version) = name.split_once('@')?;
        let (package, _) = path.split_once('/')?;
        Some((package.to_owned(), version.to_owned()))
    });
    packages.collect()
}

/// Those of the host's own contract.
pub(super) fn ours(packages: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = packages.iter().filter(|(name, _)| name.starts_with("quantum:"));
    ours.map(|(name, version)| (name.clone(), version.clone())).collect()
}
