//! Where PostgreSQL is installed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::missing::Missing;

/// Debian has a folder a version here, and none of them in `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";
/// What a folder must have.
const NEEDED: [&str; 3] = ["initdb", "postgres", "psql"];

/// A folder with the programs of one version.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// In `PATH`, then the newest of Debian's.
    pub fn find() -> Result<Self, Missing> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = from_path(&path).into_iter().chain(newest_first(Path::new(VERSIONS)));
        let complete = |folder: &PathBuf| NEEDED.iter().all(|name| folder.join(name).is_file());
        let found = folders.map(|folder| Self { folder }).find(|programs| complete(&programs.folder));
        found.ok_or(Missing { program: "initdb", package: "postgresql" })
    }

    /// One of them, knowing nothing of this machine's settings, in a folder that its user may enter.
    pub fn command(&self, name: &str, within: &Path) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.env_clear().env("PATH", &self.folder).env("LC_ALL", "C").env("TZ", "UTC");
        command.current_dir(within).stdin(Stdio::null());
        command
    }
}

/// Where each `initdb` of `PATH` really is: a link to it stands alone.
fn from_path(path: &OsStr) -> Vec<PathBuf> {
    let real = |folder: PathBuf| Some(folder.join("initdb").canonicalize().ok()?.parent()?.to_owned());
    std::env::split_paths(path).filter_map(real).collect()
}

fn newest_first(versions: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
    let number = |name: &OsStr| name.to_str()?.parse::<u32>().ok();
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some((number(&entry.file_name())?, entry.path().join("bin")))).collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_the_newest_is_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["9", "15", "100", "common"] {
            std::fs::create_dir_all(folder.path().join(name).join("bin")).unwrap();
        }
        let expected = ["100", "15", "9"].map(|name| folder.path().join(name).join("bin"));
        assert_eq!(newest_first(folder.path()), expected);
    }

    #[test]
    fn a_link_in_path_leads_to_the_folder_of_all_programs() {
        let folder = tempfile::tempdir().unwrap();
        let [real, links] = ["real", "links"].map(|name| folder.path().canonicalize().unwrap().join(name));
        for folder in [&real, &links] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(real.join("initdb"), "").unwrap();
        std::os::unix::fs::symlink(real.join("initdb"), links.join("initdb")).unwrap();
        let path = std::env::join_paths([folder.path(), &links]).unwrap();
        assert_eq!(from_path(&path), [real]);
    }
}
