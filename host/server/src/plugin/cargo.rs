//! Asks cargo what a crate is, and has it built.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use super::error::Error;

const TARGET: &str = "wasm32-wasip2";

/// The describing build runs once and for a moment, so compiling it fast is all that matters. A profile of its own
/// keeps its files apart from every other build: the two never undo each other's work.
const DESCRIBING: &[&str] = &[
    "profile.describe.inherits=\"release\"",
    "profile.describe.opt-level=0",
    "profile.describe.lto=\"off\"",
    "profile.describe.codegen-units=16",
    "profile.describe.debug=false",
    "profile.describe.strip=\"symbols\"",
];

/// A crate that is a plugin.
#[derive(Debug)]
pub(super) struct PluginCrate {
    manifest_path: PathBuf,
    pub package: String,
    pub target_dir: PathBuf,
    pub meta: QuantumMeta,
}

/// `[package.metadata.quantum]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuantumMeta {
    /// `namespace:name`.
    pub id: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub publisher: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    metadata: Option<serde_json::Value>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// None: it comes from a registry or a repository.
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

/// One of the two builds of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Build<'a> {
    /// Tells its manifest, and is thrown away.
    Describing,
    /// What is published, with this profile.
    Shipped(&'a str),
}

pub(super) async fn find(dir: &Path) -> Result<PluginCrate, Error> {
    let manifest_path = dir.join("Cargo.toml");
    let manifest_path = manifest_path.canonicalize().map_err(Error::file(&manifest_path))?;
    let unreadable = |reason: String| Error::Metadata { path: manifest_path.clone(), reason };
    let metadata = metadata(&manifest_path, Stdio::inherit()).await?;
    let package = metadata.packages.into_iter().find(|package| package.manifest_path == manifest_path);
    let package = package
        .ok_or_else(|| unreadable("it is a workspace without a package; name the plugin's folder".into()))?;
    let meta = package.metadata.as_ref().and_then(|metadata| metadata.get("quantum")).cloned();
    let meta = meta.ok_or_else(|| Error::NotAPlugin { path: dir.to_owned() })?;
    let meta =
        serde_json::from_value(meta).map_err(|e| unreadable(format!("[package.metadata.quantum]: {e}")))?;
    Ok(PluginCrate { manifest_path, package: package.name, target_dir: metadata.target_directory, meta })
}

/// Folders of the crate in this folder and of all that it is made of by a path, which its author can change. Of one that
/// cargo cannot read, itself alone.
pub(super) async fn by_path(dir: &Path) -> Vec<PathBuf> {
    let mut found = BTreeSet::from([dir.canonicalize().unwrap_or_else(|_| dir.to_owned())]);
    let mut unread: Vec<PathBuf> = found.iter().cloned().collect();
    while let Some(dir) = unread.pop() {
        let manifest_path = dir.join("Cargo.toml");
        if !manifest_path.is_file() {
            continue;
        }
        // What is wrong with it is told by the build.
        let told = metadata(&manifest_path, Stdio::null()).await;
        let packages = told.map(|metadata| metadata.packages).unwrap_or_default();
        let package = packages.into_iter().find(|package| package.manifest_path == manifest_path);
        let named = package.into_iter().flat_map(|package| package.dependencies);
        unread.extend(named.filter_map(|named| named.path).filter(|path| found.insert(path.clone())));
    }
    found.into_iter().collect()
}

async fn metadata(manifest_path: &Path, errors: Stdio) -> Result<Metadata, Error> {
    let mut command = cargo("metadata");
    command.args(["--no-deps", "--format-version=1", "--manifest-path"]).arg(manifest_path).stderr(errors);
    serde_json::from_slice(&finish(command, "cargo metadata").await?)
        .map_err(|e| Error::Metadata { path: manifest_path.to_owned(), reason: e.to_string() })
}

impl PluginCrate {
    /// Path of the component that cargo made.
    pub async fn build(&self, build: Build<'_>) -> Result<PathBuf, Error> {
        let mut command = cargo("build");
        command.args(["--lib", "--target", TARGET, "--message-format=json-render-diagnostics", "--package"]);
        command.arg(&self.package).arg("--manifest-path").arg(&self.manifest_path);
        let what = match build {
            Build::Describing => {
                self.describing(&mut command);
                "the build that tells the manifest"
            }
            Build::Shipped(profile) => {
                // For crates outside of this workspace, which may not define it.
                command.args(["--profile", profile, "--config", "profile.plugin.inherits=\"release\""]);
                "the build that is shipped"
            }
        };
        match finish(command, what).await {
            Ok(messages) => self.component(&messages),
            Err(Error::Cargo { .. }) if !has_target().await => Err(Error::NoTarget { target: TARGET }),
            Err(error) => Err(error),
        }
    }

    fn describing(&self, command: &mut Command) {
        command.args(["--profile", "describe"]);
        DESCRIBING.iter().for_each(|setting| {
            command.args(["--config", setting]);
        });
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        command.env("RUSTFLAGS", format!("{flags} --cfg quantum_describe").trim_start());
        command.env("QUANTUM_PLUGIN_ID", &self.meta.id);
        command.env("QUANTUM_PLUGIN_TITLE", &self.meta.title);
        command.env("QUANTUM_PLUGIN_PUBLISHER", &self.meta.publisher);
    }

    /// Among cargo's messages, one JSON a line.
    fn component(&self, messages: &[u8]) -> Result<PathBuf, Error> {
        let lines = messages.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let artifacts = lines.filter_map(|line| serde_json::from_slice(line).ok());
        let mut ours = artifacts.filter_map(|message| match message {
            Message::CompilerArtifact { manifest_path, filenames } if manifest_path == self.manifest_path => {
                Some(filenames)
            }
            _ => None,
        });
        let is_component = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
        ours.find_map(|files| files.into_iter().find(is_component)).ok_or(Error::NoComponent)
    }
}

/// Whether the compiler has the libraries of the target. One that cannot be asked is not blamed.
async fn has_target() -> bool {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let told = rustc.args(["--print", "target-libdir", "--target", TARGET]).output().await;
    let Some(told) = told.ok().filter(|told| told.status.success()) else { return true };
    Path::new(String::from_utf8_lossy(&told.stdout).trim()).is_dir()
}

fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(command).stdout(Stdio::piped()).kill_on_drop(true);
    cargo
}

/// What it wrote; its errors go to the terminal as they come.
async fn finish(mut command: Command, what: &'static str) -> Result<Vec<u8>, Error> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let start =
        |source| Error::Start { program, install: "is it installed? https://rustup.rs has it", source };
    let child = command.spawn().map_err(start)?;
    let output = child.wait_with_output().await?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Cargo { what, status: output.status })
    }
}
