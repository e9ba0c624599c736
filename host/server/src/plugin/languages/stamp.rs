//! What a component was built from. Neither tool gives the same bytes twice and both take long, so what has not changed
//! is not built again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::plugin::error::Error;
use crate::plugin::walk;

const FILE: &str = "built-from";
/// A folder that holds no sources of the component.
const PASSED_OVER: &[&str] = &["cases"];

/// Names everything that a build reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp(String);

impl Stamp {
    pub fn of(dir: &Path, tool: &Path, world: &str) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        collect(dir, &mut files)?;
        let helper = dir.join("target").join("sdk");
        collect(&helper, &mut files)?;
        files.insert(tool.to_owned(), std::fs::read(tool).map_err(Error::file(tool))?);
        let mut named = vec![format!("quantum {}", env!("CARGO_PKG_VERSION")), world.to_owned()];
        let digests = files.iter().map(|(path, bytes)| {
            let path = path.strip_prefix(dir).unwrap_or(path);
            format!("{} {}", quantum_marketplace::digest(bytes), path.display())
        });
        named.extend(digests);
        Ok(Self(named.join("\n")))
    }

    /// The component is there, and was built from the same.
    pub fn is_fresh(&self, dir: &Path, component: &Path) -> bool {
        component.is_file() && std::fs::read_to_string(dir.join(FILE)).is_ok_and(|text| text == self.0)
    }

    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(FILE);
        std::fs::write(&path, &self.0).map_err(Error::file(&path))
    }
}

/// What is installed in folders that are passed over is named by files beside them.
fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<(), Error> {
    for path in walk::files(dir, PASSED_OVER).map_err(Error::file(dir))? {
        let bytes = std::fs::read(&path).map_err(Error::file(&path))?;
        files.insert(path, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_component_is_fresh_until_something_that_it_is_made_of_changes() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        fs::create_dir_all(dir.join("target/sdk")).unwrap();
        fs::create_dir_all(dir.join("cases/one")).unwrap();
        for file in
            ["plugin.py", "tool", "target/component.wasm", "target/sdk/helper.py", "cases/one/input.json"]
        {
            fs::write(dir.join(file), file).unwrap();
        }
        let (component, target) = (dir.join("target/component.wasm"), dir.join("target"));
        let stamp = |world| Stamp::of(dir, &dir.join("tool"), world).unwrap();
        let fresh = |world| stamp(world).is_fresh(&target, &component);
        assert!(!fresh("a"));
        stamp("a").write(&target).unwrap();
        assert!(fresh("a") && !fresh("b"));
        fs::write(dir.join("cases/one/input.json"), "changed").unwrap();
        assert!(fresh("a"));
        for file in ["plugin.py", "tool", "target/sdk/helper.py"] {
            stamp("a").write(&target).unwrap();
            fs::write(dir.join(file), "changed").unwrap();
            assert!(!fresh("a"), "{file}");
        }
    }
}
