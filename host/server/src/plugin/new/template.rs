//! The files of a new plugin. They are templates of `sdk/template`, part of this program; `{{name}}` and others in them
//! are filled in.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::NewLanguage;
use super::name::Name;
use super::sdk::Sdk;
use crate::plugin::error::Error;
use crate::plugin::languages::{JAVASCRIPT_TOOL, PYTHON_TOOL};

/// The file's place in the plugin, and its text.
type File = (&'static str, &'static str);

macro_rules! template {
    ($file:literal) => {
        include_str!(concat!("../../../../../sdk/template/", $file))
    };
}

const CASES: &[File] = &[
    ("cases/counts-words/input.json", template!("cases/counts-words/input.json")),
    ("cases/counts-words/output.json", template!("cases/counts-words/output.json")),
    ("cases/needs-a-text/input.json", template!("cases/needs-a-text/input.json")),
    ("cases/needs-a-text/error.json", template!("cases/needs-a-text/error.json")),
];

const RUST: &[File] = &[
    ("Cargo.toml", template!("rust/Cargo.toml.template")),
    ("src/lib.rs", template!("rust/src/lib.rs")),
    ("README.md", template!("rust/README.md")),
    (".gitignore", template!("rust/gitignore")),
];

const PYTHON: &[File] = &[
    ("pyproject.toml", template!("python/pyproject.toml.template")),
    ("manifest.json", template!("manifest.json")),
    ("plugin.py", template!("python/plugin.py")),
    ("test_plugin.py", template!("python/test_plugin.py")),
    ("README.md", template!("python/README.md")),
    (".gitignore", template!("python/gitignore")),
];

const JAVASCRIPT: &[File] = &[
    ("package.json", template!("javascript/package.json.template")),
    ("manifest.json", template!("manifest.json")),
    ("plugin.js", template!("javascript/plugin.js")),
    ("plugin.test.js", template!("javascript/plugin.test.js")),
    ("README.md", template!("javascript/README.md")),
    (".gitignore", template!("javascript/gitignore")),
];

/// Writes the files of the language.
pub(super) fn write(dir: &Path, lang: NewLanguage, name: &Name, sdk: Option<&Sdk>) -> Result<(), Error> {
    let files = match lang {
        NewLanguage::Rust => RUST,
        NewLanguage::Python => PYTHON,
        NewLanguage::JavaScript => JAVASCRIPT,
    };
    let fields = [
        ("{{name}}", name.name.clone()),
        ("{{namespace}}", name.namespace.clone()),
        ("{{title}}", name.title()),
        ("{{sdk}}", sdk.map(|sdk| sdk.dependency(dir)).unwrap_or_default()),
        ("{{python_tool}}", PYTHON_TOOL.trim().to_owned()),
        ("{{javascript_tool}}", javascript_tool()),
    ];
    for (file, text) in files.iter().chain(CASES) {
        let path = dir.join(file);
        let folder = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let text = fields.iter().fold((*text).to_owned(), |text, (field, value)| text.replace(field, value));
        std::fs::write(&path, text).map_err(Error::file(&path))?;
    }
    Ok(())
}

/// What the tool's own package.json needs, another needs too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tools {
    dev_dependencies: Map<String, Value>,
    overrides: Map<String, Value>,
}

/// The two fields as lines of a package.json.
fn javascript_tool() -> String {
    let tools: Tools = serde_json::from_str(JAVASCRIPT_TOOL).expect("package.json of the tools has both");
    let fields = [("devDependencies", tools.dev_dependencies), ("overrides", tools.overrides)];
    let fields = fields.map(|(name, versions)| {
        let versions: Vec<_> =
            versions.iter().map(|(name, version)| format!("    \"{name}\": {version}")).collect();
        format!("  \"{name}\": {{\n{}\n  }}", versions.join(",\n"))
    });
    fields.join(",\n")
}
