//! The plugins that come with the host: components in a folder beside the executable, which is trusted as far as the
//! executable is. What they may do is the operator's word, in the configuration.

use std::path::{Path, PathBuf};

use quantum_catalog::Bundled;
use quantum_core::manifest::{HostPattern, Manifest};
use quantum_core::port::Grant;
use quantum_core::problem::Finding;
use quantum_marketplace::inspect;
use quantum_sandbox::Sandbox;
use quantum_store::Blobs;

use crate::settings::{PluginConsent, Settings};

#[derive(Debug, thiserror::Error)]
pub enum BundledError {
    #[error("read the folder of bundled plugins {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("read the bundled plugin {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("understand the bundled plugin {}", path.display())]
    Inspect { path: PathBuf, source: quantum_marketplace::Error },
    #[error("use the bundled plugin {}: {first}", path.display())]
    Refused { path: PathBuf, first: String },
    #[error("store the bundled plugin {}", path.display())]
    Store { path: PathBuf, source: quantum_store::Error },
    #[error("take in the bundled plugin {}", path.display())]
    Compile { path: PathBuf, source: quantum_sandbox::Error },
    #[error(
        "the configuration allows hosts to \"{name}\", which is not a bundled plugin; bundled are: {known}"
    )]
    Unknown { name: String, known: String },
    #[error(
        "the plugin \"{plugin}\" leaves no host to the operator, so plugins.{plugin}.allow_hosts cannot add {host}"
    )]
    Host { plugin: String, host: String },
}

/// The components, by name. A folder beside the executable that is not there holds none.
pub(crate) fn files(settings: &Settings) -> Result<Vec<PathBuf>, BundledError> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("plugins"));
    let folder = match &settings.plugins_dir {
        Some(dir) => dir.clone(),
        None => match beside().filter(|dir| dir.is_dir()) {
            Some(dir) => dir,
            None => return Ok(Vec::new()),
        },
    };
    let failed = |source| BundledError::Folder { path: folder.clone(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads, checks and compiles them; with a warm cache nothing is compiled.
pub(crate) async fn install(
    settings: &Settings,
    sandbox: &Sandbox,
    blobs: &Blobs,
) -> Result<Vec<Bundled>, BundledError> {
    let mut bundled = Vec::new();
    for path in files(settings)? {
        bundled.push(install_one(settings, sandbox, blobs, &path).await?);
    }
    let known: Vec<&str> = bundled.iter().map(|plugin| short_name(&plugin.manifest)).collect();
    if let Some(name) = settings.plugins.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(BundledError::Unknown { name: name.clone(), known: known.join(", ") });
    }
    Ok(bundled)
}

async fn install_one(
    settings: &Settings,
    sandbox: &Sandbox,
    blobs: &Blobs,
    path: &Path,
) -> Result<Bundled, BundledError> {
    let owned = || path.to_owned();
    let bytes = std::fs::read(path).map_err(|source| BundledError::Read { path: owned(), source })?;
    let inspection = inspect(&bytes).map_err(|source| BundledError::Inspect { path: owned(), source })?;
    if let Some(first) = inspection.findings().iter().find(|finding| Finding::is_error(finding)) {
        return Err(BundledError::Refused { path: owned(), first: first.message.clone() });
    }
    blobs.put(bytes.clone()).await.map_err(|source| BundledError::Store { path: owned(), source })?;
    let manifest = inspection.manifest;
    let component = sandbox.install_asking(bytes, manifest.memory_bytes_max).await;
    let component = component.map_err(|source| BundledError::Compile { path: owned(), source })?;
    let consent = settings.plugins.get(short_name(&manifest)).cloned().unwrap_or_default();
    let grant = grant(&manifest, &consent)?;
    Ok(Bundled { manifest, component, grant, settings: consent.settings })
}

/// `http` of `quantum:http`.
fn short_name(manifest: &Manifest) -> &str {
    manifest.id.split_once(':').map_or(manifest.id.as_str(), |(_, name)| name)
}

/// What the plugin declares and the operator fills in.
fn grant(manifest: &Manifest, consent: &PluginConsent) -> Result<Grant, BundledError> {
    let declared = manifest.capabilities.http.clone().unwrap_or_default();
    if let Some(host) = consent.hosts.first().filter(|_| declared.slots.is_empty()) {
        let plugin = short_name(manifest).to_owned();
        return Err(BundledError::Host { plugin, host: host.to_string() });
    }
    let fixed = declared.hosts.iter().filter_map(|host| HostPattern::parse(host).ok());
    Ok(quantum_catalog::grant(manifest, fixed.chain(consent.hosts.iter().cloned()).collect()))
}
