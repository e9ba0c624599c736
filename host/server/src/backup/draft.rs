//! A folder on its way to its name: built beside it as `NAME.partial`, synced, and renamed.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::BackupError;

/// Dropped before it is finished, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    destination: PathBuf,
    finished: bool,
    /// Held by the process that builds it: what nobody holds was left by one that was killed.
    _lock: File,
}

impl Draft {
    /// Removes what a killed process left under the name. Err: `Busy`, `NoName`, `Io`.
    pub fn new(destination: &Path) -> Result<Self, BackupError> {
        let path = beside(destination)?;
        let failed = || BackupError::io("make the folder", &path);
        let folder = || DirBuilder::new().mode(0o700).create(&path);
        match folder() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let _lock = lock(&path)?;
                fs::remove_dir_all(&path).map_err(BackupError::io("remove the unfinished", &path))?;
                folder().map_err(failed())?;
            }
            made => made.map_err(failed())?,
        }
        let lock = lock(&path)?;
        Ok(Self { path, destination: destination.to_owned(), finished: false, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name. Durable once it returns; before, the name is not there, or as empty as it was. Files in it
    /// must have been synced.
    pub fn finish(mut self) -> Result<(), BackupError> {
        sync_folders(&self.path).map_err(BackupError::io("write the folder", &self.path))?;
        let renamed = fs::rename(&self.path, &self.destination);
        renamed.map_err(BackupError::io("give its name to the folder", &self.destination))?;
        self.finished = true;
        let parent = parent(&self.destination);
        sync(parent).map_err(BackupError::io("write the folder", parent))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed by the next one.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

fn beside(destination: &Path) -> Result<PathBuf, BackupError> {
    let name = destination.file_name();
    let name = name.ok_or_else(|| BackupError::NoName { path: destination.to_owned() })?;
    let mut name = OsString::from(name);
    name.push(".partial");
    Ok(destination.with_file_name(name))
}

fn lock(path: &Path) -> Result<File, BackupError> {
    let folder = File::open(path).map_err(BackupError::io("open the folder", path))?;
    folder.try_lock().map_err(|_| BackupError::Busy { path: path.to_owned() })?;
    Ok(folder)
}

pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn sync_folders(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync(folder)
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
