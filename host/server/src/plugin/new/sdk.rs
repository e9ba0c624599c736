//! Which SDK a plugin in Rust depends on: that of a checkout. No registry has it, and its name in one may be somebody
//! else's.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::plugin::error::Error;

const PACKAGE: &str = "quantum-sdk";

/// Its folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sdk(PathBuf);

#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

impl Sdk {
    /// `named` is the checkout or the SDK's folder in it.
    pub fn find(named: Option<&Path>, dir: &Path) -> Result<Self, Error> {
        if let Some(named) = named {
            let found = sdk_of(named).ok_or_else(|| Error::NoSdk { path: named.to_owned() })?;
            return Ok(Self(found.canonicalize().map_err(Error::file(&found))?));
        }
        let program = std::env::current_exe().ok();
        let around = dir.ancestors().chain(program.iter().flat_map(|program| program.ancestors().skip(1)));
        Self::nearest(around)
    }

    fn nearest<'a>(mut around: impl Iterator<Item = &'a Path>) -> Result<Self, Error> {
        around.find_map(sdk_of).map(Self).ok_or(Error::NoCheckout)
    }

    /// As it stands behind `quantum-sdk =` in the Cargo.toml of this folder.
    pub fn dependency(&self, dir: &Path) -> String {
        format!("{{ path = {:?} }}", relative(&self.0, dir).display().to_string())
    }
}

fn sdk_of(folder: &Path) -> Option<PathBuf> {
    let candidates = [folder.to_owned(), folder.join("sdk")];
    candidates.into_iter().find(|candidate| is_sdk(candidate))
}

fn is_sdk(folder: &Path) -> bool {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let manifest: Option<Manifest> = toml::from_str(&text).ok();
    manifest.and_then(|manifest| manifest.package).is_some_and(|package| package.name == PACKAGE)
}

/// A folder that shares no more than the root is named from the root.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let (mut theirs, mut ours) = (path.components().peekable(), from.components().peekable());
    let mut shared = 0;
    while theirs.peek().is_some() && theirs.peek() == ours.peek() {
        theirs.next();
        ours.next();
        shared += 1;
    }
    if shared < 2 {
        return path.to_owned();
    }
    ours.map(|_| Component::ParentDir).chain(theirs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_nearby_is_named_by_its_relative_path() {
        for (dir, path) in [
            ("/src/quantum/plugins/new", "../../sdk"),
            ("/src/weather", "../quantum/sdk"),
            ("/tmp/weather", "/src/quantum/sdk"),
        ] {
            let sdk = Sdk("/src/quantum/sdk".into());
            assert_eq!(sdk.dependency(Path::new(dir)), format!("{{ path = \"{path}\" }}"));
        }
    }

    #[test]
    fn the_sdk_is_found_in_the_checkout_and_nowhere_else() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let found = Sdk(root.join("sdk"));
        assert_eq!(Sdk::find(Some(&root), Path::new("/")).unwrap(), found);
        assert_eq!(Sdk::find(Some(&root.join("sdk")), Path::new("/")).unwrap(), found);
        assert_eq!(Sdk::find(None, &root.join("plugins")).unwrap(), found);
        let folder = tempfile::tempdir().unwrap();
        let error = Sdk::nearest([folder.path()].into_iter()).unwrap_err().to_string();
        assert!(error.ends_with("name one: --sdk CHECKOUT"), "{error}");
        let error = Sdk::find(Some(&root.join("wit")), Path::new("/")).unwrap_err().to_string();
        assert!(error.starts_with("find the SDK in "), "{error}");
    }
}
