//! The helpers `quantum_sdk` in both languages: part of this program, so that they fit its host, and written beside the
//! plugin, where builds and native tests find them.

use std::path::Path;

use super::{Language, TARGET};
use crate::plugin::error::Error;

macro_rules! files {
    ($folder:literal, $($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../../sdk/", $folder, "/", $file)))),+]
    };
}

const PYTHON: &[(&str, &str)] = files![
    "py",
    "quantum_sdk/__init__.py",
    "quantum_sdk/actions.py",
    "quantum_sdk/artifacts.py",
    "quantum_sdk/context.py",
    "quantum_sdk/failure.py",
    "quantum_sdk/guest.py",
    "quantum_sdk/guest_http.py",
    "quantum_sdk/http.py",
    "quantum_sdk/kv.py",
    "quantum_sdk/secrets.py",
    "quantum_sdk/testing.py",
];
const JAVASCRIPT: &[(&str, &str)] = files![
    "js",
    "call.js",
    "context.js",
    "failure.js",
    "guest.js",
    "index.js",
    "package.json",
    "testing.js",
    "text.js",
];

/// What pip installs, with its version.
pub(in crate::plugin) const PYTHON_TOOL: &str = include_str!("../../../../../sdk/py/tools/requirements.txt");
/// What npm installs, with the versions that fit each other.
pub(in crate::plugin) const JAVASCRIPT_TOOL: &str = include_str!("../../../../../sdk/js/tools/package.json");

/// Below `target/sdk` of the plugin's folder.
pub(in crate::plugin) fn write_helper(dir: &Path, language: Language) -> Result<(), Error> {
    let files = match language {
        Language::Python => PYTHON,
        Language::JavaScript => JAVASCRIPT,
    };
    for (file, text) in files {
        let path = dir.join(TARGET).join("sdk").join(file);
        let folder = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        std::fs::write(&path, text).map_err(Error::file(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Files of a folder of `sdk/`, tests left out.
    fn there(folder: &str, extension: &str) -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk").join(folder);
        let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        names.filter(|name| name.ends_with(extension) && !name.contains(".test.")).collect()
    }

    #[test]
    fn every_file_of_a_helper_is_brought_along() {
        let python = PYTHON.iter().map(|(file, _)| file.trim_start_matches("quantum_sdk/").to_owned());
        assert_eq!(python.collect::<BTreeSet<_>>(), there("py/quantum_sdk", ".py"));
        let scripts = JAVASCRIPT.iter().filter(|(file, _)| file.ends_with(".js"));
        assert_eq!(scripts.map(|(file, _)| (*file).to_owned()).collect::<BTreeSet<_>>(), there("js", ".js"));
    }
}
