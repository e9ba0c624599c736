//! Makes a data folder of a backup. Nothing is written over, and a backup that is not what was saved gives nothing.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use quantum_core::time::Timestamp;
use quantum_store::snapshot_contents;

use super::draft::Draft;
use super::error::BackupError;
use super::file;
use super::manifest::{FileEntry, Manifest};
use super::{DATABASE, HOST_KEYS, MASTER_KEY};

/// What was restored.
#[derive(Debug)]
pub(crate) struct Restored {
    pub taken_at: Timestamp,
    pub tenants: u64,
    pub executions: u64,
    pub executions_open: u64,
    pub files: usize,
    pub bytes: u64,
    /// Keys of the saved host that the backup does not have, and that belong into the folder.
    pub keys_missing: Vec<&'static str>,
}

/// As `save`, back into a folder that is empty or not there.
pub(crate) async fn restore(
    backup: &Path,
    data_dir: &Path,
    each: &dyn Fn(u64),
) -> Result<Restored, BackupError> {
    check_target(data_dir)?;
    let manifest = Manifest::read(backup)?;
    let draft = Draft::new(data_dir)?;
    for entry in &manifest.files {
        copy(backup, draft.path(), entry)?;
        each(entry.bytes);
    }
    if !manifest.has(DATABASE) {
        return Err(damaged(DATABASE, "is missing in the list of files".into()));
    }
    let contents = snapshot_contents(&draft.path().join(DATABASE)).await.map_err(BackupError::Check)?;
    draft.finish()?;
    let keys = HOST_KEYS.into_iter().chain((contents.tenant_keys > 0).then_some(MASTER_KEY));
    Ok(Restored {
        taken_at: manifest.taken_at,
        tenants: contents.tenants,
        executions: contents.executions,
        executions_open: contents.executions_open,
        files: manifest.files.len(),
        bytes: manifest.bytes,
        keys_missing: keys.filter(|key| !manifest.has(key)).collect(),
    })
}

fn check_target(data_dir: &Path) -> Result<(), BackupError> {
    match fs::read_dir(data_dir).map(|mut entries| entries.next().is_none()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::io("look into the folder", data_dir)(error)),
        Ok(true) => Ok(()),
        Ok(false) => Err(BackupError::NotEmpty { path: data_dir.to_owned() }),
    }
}

fn copy(backup: &Path, draft: &Path, entry: &FileEntry) -> Result<(), BackupError> {
    let from = backup.join(&entry.path);
    let mut file = match File::open(&from) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(damaged(&entry.path, "is missing".into()));
        }
        Err(error) => return Err(BackupError::io("read", from)(error)),
    };
    let content = file::copy(&mut file, &draft.join(&entry.path)).map_err(BackupError::io("copy", from))?;
    if content.bytes != entry.bytes {
        let what = format!("has {} bytes and not the {} that were saved", content.bytes, entry.bytes);
        return Err(damaged(&entry.path, what));
    }
    if content.sha256 != entry.sha256 {
        return Err(damaged(&entry.path, "has other bytes than those that were saved".into()));
    }
    Ok(())
}

fn damaged(file: &str, what: String) -> BackupError {
    BackupError::Damaged { file: file.to_owned(), what }
}
