//! JavaScript, by jco with QuickJS: the engine with the plugin's modules, bundled into one, already run.

use std::path::{Path, PathBuf};

use quantum_core::manifest::Capabilities;
use quantum_core::vocabulary::Capability;
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use super::{LanguagePlugin, Work, sources, tool, world};
use crate::plugin::error::Error;

const PROGRAM: &str = "jco";
const PLACES: &[&str] = &["node_modules/.bin", "target/tools/javascript/node_modules/.bin"];

/// Said as well, when npm itself is missing.
const NO_LANGUAGE: &str =
    "\nnpm is not on PATH either; install Node.js 20 or later first, which has it: https://nodejs.org";

/// `package.json`, as far as it matters here.
#[derive(Deserialize)]
struct Package {
    main: Option<PathBuf>,
}

/// None: no plugin in JavaScript.
pub(super) fn main(dir: &Path) -> Result<Option<PathBuf>, Error> {
    let path = dir.join("package.json");
    if !path.is_file() {
        return Ok(None);
    }
    let unusable = |reason: String| Error::Project { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let package: Package = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    let main = package.main.ok_or_else(|| {
        unusable("it needs \"main\", the path of the module that exports `actions`".to_owned())
    })?;
    if !dir.join(&main).is_file() {
        return Err(unusable(format!("the folder has no \"{}\", which main names", main.display())));
    }
    Ok(Some(main))
}

/// Requests, and so what is only for them, are not to be had.
pub(super) fn check(capabilities: &Capabilities) -> Result<(), Error> {
    let declared = capabilities.declared();
    let missing = [Capability::Http, Capability::SecretsUse, Capability::SecretsReveal];
    if missing.iter().any(|one| declared.contains(one)) { Err(Error::NotInJavaScript) } else { Ok(()) }
}

pub(super) fn tool(dir: &Path) -> Result<PathBuf, Error> {
    let language = if tool::is_on_path("npm") { "" } else { NO_LANGUAGE };
    let typed = "in the plugin's folder type: npm install";
    let install = if names_tool(dir) {
        format!("{typed}{language}")
    } else {
        let needed = sources::JAVASCRIPT_TOOL.trim();
        format!("its package.json needs these, and then {typed}\n{needed}{language}")
    };
    tool::find(dir, PROGRAM, PLACES, install)
}

/// Whether `npm install` in this folder brings it.
fn names_tool(dir: &Path) -> bool {
    let text = std::fs::read_to_string(dir.join("package.json")).unwrap_or_default();
    text.contains("\"@bytecodealliance/jco\"")
}

pub(super) async fn build(plugin: &LanguagePlugin, main: &Path, work: &Work) -> Result<(), Error> {
    let entry = write(&work.dir.join("entry.js"), &entry(main, plugin))?;
    let bundle = write(&work.dir.join("bundle.config.mjs"), BUNDLE)?;
    let mut command = Command::new(&work.tool);
    command.current_dir(&plugin.dir).arg("componentize").arg(entry).arg("--wit").arg(&work.wit);
    command.args(["--world-name", world::NAME, "--backend", "quickjs", "--backend-qjs-disable-async"]);
    command.arg("--bundle").arg("--bundle-config").arg(bundle);
    if !plugin.uses_system() {
        command.arg("--backend-qjs-stub-wasi");
    }
    command.arg("--out").arg(&work.component);
    tool::run(command, "jco componentize").await
}

/// The host's interfaces are no files.
const BUNDLE: &str = "export default { external: [/^(quantum|wasi):/] };\n";

/// Hands the imported interfaces to the plugin's actions.
fn entry(main: &Path, plugin: &LanguagePlugin) -> String {
    let mut parts = vec![("context", "quantum:context/context@1.0.0"), ("log", "quantum:log/log@1.0.0")];
    let declared = plugin.manifest.capabilities.declared();
    let known = [
        (Capability::Artifacts, "artifacts", "quantum:artifacts/artifacts@1.0.0"),
        (Capability::Kv, "kv", "quantum:kv/kv@1.0.0"),
        (Capability::Random, "random", world::RANDOM),
    ];
    parts.extend(
        known.iter().filter(|(one, ..)| declared.contains(one)).map(|(_, name, from)| (*name, *from)),
    );
    let imports: String =
        parts.iter().map(|(name, from)| format!("import * as {name} from '{from}';\n")).collect();
    let names = parts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let words: Vec<_> = declared.iter().map(|one| one.as_str()).collect();
    format!(
        "{imports}import {{ exported }} from '../sdk/guest.js';\nimport * as plugin from {};\n\n\
         export const actions = exported(plugin.actions, {{ {names} }}, {}, {});\n",
        json!(format!("../../{}", main.display())),
        json!(plugin.action_names()),
        json!(words),
    )
}

fn write(path: &Path, text: &str) -> Result<PathBuf, Error> {
    std::fs::write(path, text).map_err(Error::file(path))?;
    Ok(path.to_owned())
}
