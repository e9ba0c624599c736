//! Where things are in this checkout.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::shell;

/// The checkout's root: the folder above this package.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// What `cargo metadata` prints, as far as the tasks use it. Not the crate `cargo_metadata`: it turns on a feature of
/// serde_json, and with it half of the host would be compiled once more for `cargo test --workspace`.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub target_directory: PathBuf,
    /// None without the dependency graph.
    pub resolve: Option<Resolve>,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    /// `dev` or `build`; none: normal.
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

/// A package in the graph, and what it uses.
#[derive(Debug, Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
pub struct Edge {
    pub pkg: String,
    pub dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
pub struct EdgeKind {
    /// As in `Dependency`.
    pub kind: Option<String>,
}

impl Metadata {
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}

/// Packages and folders without the dependency graph; needs no network.
pub fn members() -> Result<Metadata> {
    metadata(&["--no-deps"])
}

/// Everything, with the dependency graph as it is on Linux and in components. Downloads what is not there yet.
pub fn graph() -> Result<Metadata> {
    let platforms = ["--filter-platform", "x86_64-unknown-linux-gnu", "--filter-platform", "wasm32-wasip2"];
    metadata(&[["--locked"].as_slice(), &platforms].concat())
}

fn metadata(options: &[&str]) -> Result<Metadata> {
    let mut command = shell::cargo(&["metadata", "--format-version", "1"]);
    Ok(serde_json::from_slice(&shell::output(command.args(options))?)?)
}

pub fn target_dir() -> Result<PathBuf> {
    Ok(members()?.target_directory)
}

/// The folders of plugins that ship.
pub fn bundled_plugins() -> Result<Vec<PathBuf>> {
    let folder = root().join("plugins");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(Error::file(&folder))? {
        let path = entry.map_err(Error::file(&folder))?.path();
        if path != hostile_plugin() && path.join("Cargo.toml").is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The plugin that means harm, for tests.
pub fn hostile_plugin() -> PathBuf {
    root().join("plugins/hostile")
}

/// The path as it is written in this checkout: relative, with forward slashes.
pub fn relative(path: &Path) -> String {
    let root = root();
    path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_plugins_are_found_and_the_hostile_ones_are_not() {
        let names: Vec<_> = bundled_plugins().unwrap().iter().map(|path| relative(path)).collect();
        assert!(names.contains(&"plugins/hello".to_owned()), "{names:?}");
        assert!(!names.contains(&"plugins/hostile".to_owned()), "{names:?}");
    }
}
