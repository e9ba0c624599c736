//! The world of one plugin: both languages import every function of their world, used or not, so it has only what the
//! manifest declares. The packages are those of this host.

use std::collections::BTreeMap;
use std::path::Path;

use quantum_core::manifest::Capabilities;
use quantum_core::vocabulary::Capability;

use super::Language;
use crate::plugin::error::Error;

/// Of the world; a Python module of this name would be in its way.
pub(super) const NAME: &str = "quantum-plugin";
pub(super) const RANDOM: &str = "wasi:random/random@0.2.12";

macro_rules! packages {
    ($($folder:literal),+ $(,)?) => {
        &[$(($folder, include_str!(concat!("../../../../../wit/deps/", $folder, "/package.wit")))),+]
    };
}

/// The folders of `wit/deps`.
const PACKAGES: &[(&str, &str)] = packages![
    "quantum-artifacts-1.0.0",
    "quantum-context-1.0.0",
    "quantum-kv-1.0.0",
    "quantum-log-1.0.0",
    "quantum-secrets-1.0.0",
    "wasi-cli-0.2.12",
    "wasi-clocks-0.2.12",
    "wasi-filesystem-0.2.12",
    "wasi-http-0.2.12",
    "wasi-io-0.2.12",
    "wasi-random-0.2.12",
    "wasi-sockets-0.2.12",
];
const PLUGIN: &str = include_str!("../../../../../wit/plugin.wit");

/// The world in WIT.
pub(super) fn text(capabilities: &Capabilities, language: Language) -> String {
    let declared = capabilities.declared();
    let imports = declared.iter().flat_map(|capability| interfaces(*capability, language));
    let all = ["quantum:context/context@1.0.0", "quantum:log/log@1.0.0"].into_iter().chain(imports.copied());
    let imports: String = all.map(|name| format!("  import {name};\n")).collect();
    format!(
        "package quantum:build;\n\nworld {NAME} {{\n{imports}  export quantum:plugin/actions@1.0.0;\n}}\n"
    )
}

/// Python reaches clocks and random numbers by its standard library, JavaScript clocks by `Date`.
fn interfaces(capability: Capability, language: Language) -> &'static [&'static str] {
    match capability {
        Capability::Http => &["wasi:http/outgoing-handler@0.2.12"],
        Capability::Kv => &["quantum:kv/kv@1.0.0"],
        Capability::Artifacts => &["quantum:artifacts/artifacts@1.0.0"],
        Capability::SecretsUse => &["quantum:secrets/secrets@1.0.0"],
        Capability::SecretsReveal => &["quantum:secrets/reveal@1.0.0"],
        Capability::Random if language == Language::JavaScript => &[RANDOM],
        Capability::Random | Capability::Clock => &[],
    }
}

/// The packages of the contract that the world uses, with their versions: the manifest's `wit`.
pub(super) fn packages(capabilities: &Capabilities) -> BTreeMap<String, String> {
    let declared = capabilities.declared();
    let of = |capability: &Capability| match capability {
        Capability::Kv => Some("quantum:kv"),
        Capability::Artifacts => Some("quantum:artifacts"),
        Capability::SecretsUse | Capability::SecretsReveal => Some("quantum:secrets"),
        Capability::Http | Capability::Clock | Capability::Random => None,
    };
    let always = ["quantum:plugin", "quantum:context", "quantum:log"];
    let used = always.into_iter().chain(declared.iter().filter_map(of));
    used.map(|name| (name.to_owned(), "1.0.0".to_owned())).collect()
}

/// Writes the world and every package that it may name.
pub(super) fn write(dir: &Path, world: &str) -> Result<(), Error> {
    let packages =
        PACKAGES.iter().map(|(folder, text)| (dir.join("deps").join(folder), "package.wit", *text));
    let plugin = (dir.join("deps").join("quantum-plugin-1.0.0"), "package.wit", PLUGIN);
    let world = (dir.to_owned(), "world.wit", world);
    for (folder, file, text) in packages.chain([plugin, world]) {
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let path = folder.join(file);
        std::fs::write(&path, text).map_err(Error::file(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_of_the_contract_is_brought_along() {
        let deps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/deps");
        let folders = std::fs::read_dir(deps).unwrap().map(|entry| entry.unwrap());
        let folders = folders.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name());
        let mut folders: Vec<_> = folders.map(|name| name.into_string().unwrap()).collect();
        folders.sort();
        assert_eq!(folders, PACKAGES.iter().map(|(folder, _)| *folder).collect::<Vec<_>>());
    }

    #[test]
    fn a_world_has_what_is_declared_and_nothing_else() {
        let capabilities = Capabilities { kv: true, random: true, ..Capabilities::default() };
        let world = text(&capabilities, Language::Python);
        let imports: Vec<_> = world.lines().filter_map(|line| line.trim().strip_prefix("import ")).collect();
        let expected = ["quantum:context/context@1.0.0;", "quantum:log/log@1.0.0;", "quantum:kv/kv@1.0.0;"];
        assert_eq!(imports, expected);
        assert!(text(&capabilities, Language::JavaScript).contains("import wasi:random/random@0.2.12;"));
        let names: Vec<_> = packages(&capabilities).into_keys().collect();
        assert_eq!(names, ["quantum:context", "quantum:kv", "quantum:log", "quantum:plugin"]);
    }
}
