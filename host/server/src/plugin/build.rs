//! `quantum plugin build`: a component and its manifest, packed into one file. Rust takes two builds: one that tells the
//! manifest, and one that is shipped.

use std::io::Write;
use std::path::{Path, PathBuf};

use quantum_core::manifest::Manifest;
use quantum_core::problem::Finding;
use quantum_marketplace::{Inspection, append_manifest};

use super::cargo::{self, Build};
use super::error::{Error, line};
use super::languages::LanguagePlugin;
use super::network::Network;
use super::pack::{file_name, tell};
use super::workbench::Workbench;

#[derive(Debug, Clone, clap::Args)]
pub struct BuildArgs {
    /// Folder of the plugin: of its Cargo.toml, pyproject.toml or package.json
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Cargo profile of the build that is shipped, for plugins in Rust
    #[arg(long, default_value = "plugin")]
    pub profile: String,
    /// Folder that the packed plugin is written to [default: plugins in the target folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl BuildArgs {
    /// The plugin in this folder, with the usual settings.
    pub fn of(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), profile: "plugin".to_owned(), out: None }
    }
}

/// A packed plugin.
#[derive(Debug)]
pub struct Built {
    pub path: PathBuf,
    pub inspection: Inspection,
}

/// A component, and what will be said of it.
struct Parts {
    component: Vec<u8>,
    manifest: Manifest,
    dir: PathBuf,
    /// None: a plugin in Rust.
    source: Option<LanguagePlugin>,
}

/// Builds, packs and checks the plugin of one folder, and tells its size and digest.
pub async fn build(args: &BuildArgs, out: &mut (dyn Write + Send)) -> Result<Built, Error> {
    let parts = parts(args).await?;
    let dir = args.out.clone().unwrap_or(parts.dir);
    let path = dir.join(file_name(&parts.manifest.id));
    let package = |source| Error::Package { path: path.clone(), source };
    let packed = append_manifest(&parts.component, &parts.manifest).map_err(package)?;
    let inspection = quantum_marketplace::inspect(&packed).map_err(package)?;
    let findings = inspection.findings().into_iter();
    let findings = findings.filter_map(|finding| match &parts.source {
        Some(source) => source.advise(finding),
        None => Some(finding),
    });
    // What an earlier build wrote would be taken for this one.
    gate(findings.collect(), out).inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    replace(&path, &packed)?;
    tell(&inspection, &path, out)?;
    Ok(Built { path, inspection })
}

async fn parts(args: &BuildArgs) -> Result<Parts, Error> {
    if args.dir.join("Cargo.toml").is_file() {
        let plugin = cargo::find(&args.dir).await?;
        let manifest = describe(&plugin).await?;
        let component = read(&plugin.build(Build::Shipped(&args.profile)).await?)?;
        return Ok(Parts { component, manifest, dir: plugin.target_dir.join("plugins"), source: None });
    }
    let plugin = LanguagePlugin::find(&args.dir)?;
    let plugin = plugin.ok_or_else(|| Error::NoProject { path: args.dir.clone() })?;
    let (component, manifest) = (plugin.build().await?, plugin.manifest.clone());
    Ok(Parts { component, manifest, dir: plugin.packed_dir(), source: Some(plugin) })
}

/// Schemas come from types at run time, so a build that exports them is run once.
async fn describe(plugin: &cargo::PluginCrate) -> Result<Manifest, Error> {
    let describing = read(&plugin.build(Build::Describing).await?)?;
    let told = Workbench::new(None, &Network::default())?.describe(describing).await;
    let text = told.map_err(|error| match error {
        Error::Sandbox(error) if lacks_only_exports(&error) => Error::NoEntry(error),
        error => error,
    })?;
    serde_json::from_str(&text).map_err(Error::Manifest)
}

fn lacks_only_exports(error: &quantum_sandbox::Error) -> bool {
    let quantum_sandbox::Error::DoesNotFit(report) = error else { return false };
    !report.exports_missing.is_empty()
        && report.imports_missing.is_empty()
        && report.types_different.is_empty()
}

/// Warnings are told; errors refuse the plugin, and no file is written.
pub(super) fn gate(findings: Vec<Finding>, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.into_iter().partition(Finding::is_error);
    for warning in &warnings {
        writeln!(out, "warning:{}", line(warning))?;
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Refused(errors)) }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::file(path))
}

/// Whole or not at all: whoever reads the path sees the old file or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
    }
    std::fs::write(&partial, bytes).map_err(Error::file(&partial))?;
    std::fs::rename(&partial, path).map_err(Error::file(path))
}
