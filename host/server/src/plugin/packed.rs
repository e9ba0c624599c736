//! A packed plugin on the bench, ready to be called: built first, when it is named by its folder.

use std::io::Write;
use std::path::Path;

use quantum_core::problem::Finding;
use quantum_marketplace::Inspection;

use super::build::{BuildArgs, build};
use super::declaration::Form;
use super::error::Error;
use super::network::Network;
use super::workbench::Workbench;

pub(super) struct Packed {
    pub inspection: Inspection,
    pub bench: Workbench,
    pub network: Network,
    /// Where its manifest is written.
    pub form: Form,
}

impl Packed {
    /// The folder of a plugin, or a file. Of a plugin that was built here, the compiled code is kept beside it.
    pub async fn open(plugin: &Path, network: &Network, out: &mut (dyn Write + Send)) -> Result<Self, Error> {
        if !plugin.exists() {
            return Err(Error::NoPlugin { path: plugin.to_owned() });
        }
        let built = if plugin.is_dir() { Some(build(&BuildArgs::of(plugin), out).await?.path) } else { None };
        let file = built.as_deref().unwrap_or(plugin);
        let component = tokio::fs::read(file).await.map_err(Error::file(file))?;
        let package = |source| Error::Package { path: file.to_owned(), source };
        let inspection = quantum_marketplace::inspect(&component).map_err(package)?;
        let errors: Vec<_> = inspection.findings().into_iter().filter(Finding::is_error).collect();
        if !errors.is_empty() {
            return Err(Error::Refused(errors));
        }
        let name = file.file_stem().unwrap_or_default();
        let kept = built.is_some().then(|| file.with_file_name(".compiled").join(name));
        let bench = Workbench::new(kept.as_deref(), network)?;
        bench.install(component, inspection.manifest.memory_bytes_max).await?;
        Ok(Self { inspection, bench, network: network.clone(), form: form(plugin) })
    }
}

/// Of a plugin in this folder, or of a file.
pub(super) fn form(plugin: &Path) -> Form {
    if plugin.join("Cargo.toml").is_file() {
        Form::Attribute
    } else if plugin.is_dir() {
        Form::File
    } else {
        Form::Packed
    }
}
