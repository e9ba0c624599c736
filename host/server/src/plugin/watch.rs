//! Notices that a file has changed, by looking: it needs nothing of the system, and a plugin has few files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::walk;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// What builds write beside the sources.
const WRITTEN_BY_BUILDS: &[&str] = &["Cargo.lock", "package-lock.json"];

/// Files, and those of folders, as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources {
    named: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Seen>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    changed_at: Option<SystemTime>,
}

impl Sources {
    /// A folder that is not there has no files.
    pub fn of(named: Vec<PathBuf>) -> Self {
        // What goes away during the look is not there.
        let files = named.iter().flat_map(|path| {
            if path.is_file() { vec![path.clone()] } else { walk::files(path, &[]).unwrap_or_default() }
        });
        let seen = files.filter_map(|path| {
            let meta = std::fs::metadata(&path).ok()?;
            Some((path, Seen { bytes: meta.len(), changed_at: meta.modified().ok() }))
        });
        Self { seen: seen.collect(), named }
    }

    /// Looks again at what builds write: that is no change of the author's.
    pub fn forgive_builds(&mut self) {
        let now = Self::of(self.named.clone());
        let written = |path: &Path| {
            path.file_name().is_some_and(|name| WRITTEN_BY_BUILDS.iter().any(|known| name == *known))
        };
        self.seen.retain(|path, _| !written(path));
        self.seen.extend(now.seen.into_iter().filter(|(path, _)| written(path)));
    }

    /// Waits until something is otherwise, and has been so for two looks: an editor writes in pieces. Gives the first
    /// file that changed, came or went.
    pub async fn change(&self) -> PathBuf {
        let mut looks = tokio::time::interval(LOOK);
        let mut before = self.clone();
        loop {
            looks.tick().await;
            let now = Self::of(self.named.clone());
            if let (true, Some(changed)) = (now == before, self.difference(&now)) {
                return changed;
            }
            before = now;
        }
    }

    fn difference(&self, now: &Self) -> Option<PathBuf> {
        let paths = self.seen.keys().chain(now.seen.keys());
        paths.filter(|path| self.seen.get(*path) != now.seen.get(*path)).min().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_authors_write_is_a_change_and_what_builds_write_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        fs::create_dir_all(dir.join("cases/one")).unwrap();
        fs::create_dir_all(dir.join("target")).unwrap();
        for file in ["lib.rs", "cases/one/input.json", "target/out.wasm"] {
            fs::write(dir.join(file), "1").unwrap();
        }
        let mut sources = Sources::of(vec![dir.to_owned()]);
        let changed = |sources: &Sources| {
            let path = sources.difference(&Sources::of(vec![dir.to_owned()]))?;
            Some(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned())
        };
        fs::write(dir.join("target/out.wasm"), "22").unwrap();
        fs::write(dir.join("Cargo.lock"), "1").unwrap();
        assert_eq!(changed(&sources).as_deref(), Some("Cargo.lock"));
        sources.forgive_builds();
        assert_eq!(changed(&sources), None);
        fs::write(dir.join("cases/one/input.json"), "22").unwrap();
        assert_eq!(changed(&sources).as_deref(), Some("cases/one/input.json"));
        let sources = Sources::of(vec![dir.to_owned()]);
        fs::remove_file(dir.join("lib.rs")).unwrap();
        assert_eq!(changed(&sources).as_deref(), Some("lib.rs"));
    }
}
