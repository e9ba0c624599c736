//! Plugins in Python and JavaScript: a folder with `manifest.json` and a module, built by the tools of their language
//! against a world that has what the manifest declares and nothing else.

mod javascript;
mod python;
mod sources;
mod stamp;
mod tool;
mod world;

use std::path::{Path, PathBuf};

use quantum_core::manifest::Manifest;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Capability;

use super::allow;
use super::declaration::member;
use super::error::Error;
use stamp::Stamp;

pub(super) use sources::{JAVASCRIPT_TOOL, PYTHON_TOOL, write_helper};

/// What the tools write, below the plugin's folder.
const TARGET: &str = "target";

/// A plugin whose manifest is a file.
#[derive(Debug)]
pub(super) struct LanguagePlugin {
    dir: PathBuf,
    pub manifest: Manifest,
    module: Module,
}

/// The module that has the actions.
#[derive(Debug, PartialEq, Eq)]
enum Module {
    /// By its name, as it is imported.
    Python(String),
    /// By its path in the folder.
    JavaScript(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
}

/// A plugin in any of the languages is being made here.
pub(super) fn is_project(dir: &Path) -> bool {
    ["Cargo.toml", "pyproject.toml", "package.json"].iter().any(|file| dir.join(file).is_file())
}

impl LanguagePlugin {
    /// None: the folder has a plugin of neither language.
    pub fn find(dir: &Path) -> Result<Option<Self>, Error> {
        let module = match python::module(dir)? {
            Some(name) => Some(Module::Python(name)),
            None => javascript::main(dir)?.map(Module::JavaScript),
        };
        let Some(module) = module else { return Ok(None) };
        let dir = dir.canonicalize().map_err(Error::file(dir))?;
        let manifest = manifest(&dir.join("manifest.json"))?;
        if matches!(module, Module::JavaScript(_)) {
            javascript::check(&manifest.capabilities)?;
        }
        Ok(Some(Self { dir, manifest, module }))
    }

    /// Where the packed plugin is written when nobody says otherwise.
    pub fn packed_dir(&self) -> PathBuf {
        self.dir.join(TARGET).join("plugins")
    }

    /// The component, as long as nothing changed the one that was built before.
    pub async fn build(&self) -> Result<Vec<u8>, Error> {
        sources::write_helper(&self.dir, self.language())?;
        let work = Work::new(self)?;
        let stamp = Stamp::of(&self.dir, &work.tool, &work.world)?;
        if !stamp.is_fresh(&work.dir, &work.component) {
            match &self.module {
                Module::Python(module) => python::build(self, module, &work).await?,
                Module::JavaScript(main) => javascript::build(self, main, &work).await?,
            }
            stamp.write(&work.dir)?;
        }
        tokio::fs::read(&work.component).await.map_err(Error::file(&work.component))
    }

    /// What to write into the manifest, in place of what a Rust plugin would say. None: the engine imports it, and it is
    /// not the plugin's business.
    pub fn advise(&self, finding: Finding) -> Option<Finding> {
        match finding.code.as_str() {
            "import-denied" => None,
            "capability-unused" => Some(finding.hint("take it out of capabilities in manifest.json")),
            "capability-undeclared" => Some(match allow::capability(&finding) {
                Some(missing) => {
                    finding.hint(format!("write {} in capabilities of manifest.json", member(missing)))
                }
                None => finding,
            }),
            _ => Some(finding),
        }
    }

    /// That the module has to have, under these names and no others.
    fn action_names(&self) -> Vec<&str> {
        self.manifest.actions.iter().map(|action| action.name.as_str()).collect()
    }

    fn language(&self) -> Language {
        match self.module {
            Module::Python(_) => Language::Python,
            Module::JavaScript(_) => Language::JavaScript,
        }
    }

    /// The engine's own use of the system: without these capabilities the component has none of it, and so proves it.
    fn uses_system(&self) -> bool {
        let declared = self.manifest.capabilities.declared();
        [Capability::Clock, Capability::Random, Capability::Http].iter().any(|one| declared.contains(one))
    }
}

/// What one build reads and writes.
struct Work {
    dir: PathBuf,
    /// The world's WIT, with the packages that it names.
    wit: PathBuf,
    world: String,
    component: PathBuf,
    tool: PathBuf,
}

impl Work {
    fn new(plugin: &LanguagePlugin) -> Result<Self, Error> {
        let dir = plugin.dir.join(TARGET).join("component");
        let (wit, component) = (dir.join("wit"), dir.join("component.wasm"));
        let world = world::text(&plugin.manifest.capabilities, plugin.language());
        world::write(&wit, &world)?;
        let tool = match plugin.language() {
            Language::Python => python::tool(&plugin.dir)?,
            Language::JavaScript => javascript::tool(&plugin.dir)?,
        };
        Ok(Self { dir, wit, world, component, tool })
    }
}

/// Complete but for the packages of the contract, which the tool knows.
fn manifest(path: &Path) -> Result<Manifest, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let unreadable = |source| Error::ManifestFile { path: path.to_owned(), source };
    let mut manifest: Manifest = serde_json::from_str(&text).map_err(unreadable)?;
    manifest.wit = world::packages(&manifest.capabilities);
    let errors: Vec<_> = manifest.check().into_iter().filter(Finding::is_error).collect();
    if errors.is_empty() { Ok(manifest) } else { Err(Error::Refused(errors)) }
}
