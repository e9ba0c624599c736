//! Python, by componentize-py: the interpreter with the plugin's module already imported.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use super::{LanguagePlugin, TARGET, Work, sources, tool, world};
use crate::plugin::error::Error;

const PROGRAM: &str = "componentize-py";
const PLACES: &[&str] = &[".venv/bin", "venv/bin", "target/tools/python/bin"];

/// Said as well, when it is the language itself that is missing.
const NO_LANGUAGE: &str = "\npython3 is not on PATH either; install it first: on Debian and Ubuntu type apt install \
    python3-venv, on Fedora dnf install python3, on macOS brew install python";

#[derive(Deserialize)]
struct Project {
    tool: Option<Tools>,
}

#[derive(Deserialize)]
struct Tools {
    quantum: Option<Settings>,
}

/// `[tool.quantum]` of pyproject.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The module that has the actions, as it is imported.
    module: String,
}

/// None: no plugin in Python.
pub(super) fn module(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join("pyproject.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let unusable = |reason: String| Error::Project { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let project: Project = toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    let Some(settings) = project.tool.and_then(|tools| tools.quantum) else {
        return Err(unusable("it needs\n\n[tool.quantum]\nmodule = \"NAME\"\n".to_owned()));
    };
    let file = dir.join(settings.module.replace('.', "/"));
    if settings.module == world::NAME {
        return Err(unusable(format!("a module cannot be called {}; choose another name", world::NAME)));
    }
    if !file.with_extension("py").is_file() && !file.join("__init__.py").is_file() {
        return Err(unusable(format!("the folder has no module \"{}\"", settings.module)));
    }
    Ok(Some(settings.module))
}

pub(super) fn tool(dir: &Path) -> Result<PathBuf, Error> {
    let language = if tool::is_on_path("python3") { "" } else { NO_LANGUAGE };
    let install = format!(
        "in the plugin's folder type: python3 -m venv .venv && .venv/bin/pip install {}{language}",
        sources::PYTHON_TOOL.trim()
    );
    tool::find(dir, PROGRAM, PLACES, install)
}

pub(super) async fn build(plugin: &LanguagePlugin, module: &str, work: &Work) -> Result<(), Error> {
    let capabilities: Vec<_> =
        plugin.manifest.capabilities.declared().iter().map(|one| one.as_str()).collect();
    let (actions, capabilities) = (json!(plugin.action_names()), json!(capabilities));
    let build = format!(
        "\"\"\"What the manifest declares.\"\"\"\n\nACTIONS = {actions}\nCAPABILITIES = {capabilities}\n"
    );
    let path = work.dir.join("quantum_build.py");
    std::fs::write(&path, build).map_err(Error::file(&path))?;
    let mut command = Command::new(&work.tool);
    command.arg("--quiet").arg("--wit-path").arg(&work.wit).args(["--world", world::NAME, "componentize"]);
    for folder in [&plugin.dir, &plugin.dir.join(TARGET).join("sdk"), &work.dir] {
        command.arg("--python-path").arg(folder);
    }
    if !plugin.uses_system() {
        command.arg("--stub-wasi");
    }
    command.arg("--output").arg(&work.component).arg(module);
    tool::run(command, "componentize-py").await.map_err(without_entry)
}

/// What Python suggests in the place of the class is another name.
fn without_entry(error: Error) -> Error {
    match error {
        Error::Tool { said, .. } if said.contains("has no attribute 'Actions'") => Error::NoActions,
        other => other,
    }
}
