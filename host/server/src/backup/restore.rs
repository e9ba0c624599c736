//! Makes a data folder of a backup. Nothing is written over, and a backup that is not what was saved gives nothing.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use quantum_core::time::Timestamp;
use quantum_store::{Bucket, snapshot_contents};

use super::draft::Draft;
use super::error::BackupError;
use super::file::{self, Content};
use super::manifest::{FileEntry, Manifest};
use super::{DATABASE, HOST_KEYS, IMMUTABLE, MASTER_KEY};

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

/// As `save`, back into a folder that is empty or not there, and into the bucket. Nothing in a bucket is written over but
/// by the same content, so that the one that was saved can be restored to as well.
pub(crate) async fn restore(
    backup: &Path,
    data_dir: &Path,
    bucket: Option<&Bucket>,
    each: &dyn Fn(u64),
) -> Result<Restored, BackupError> {
    check_target(data_dir)?;
    let manifest = Manifest::read(backup)?;
    let draft = Draft::new(data_dir)?;
    for entry in &manifest.files {
        match bucket {
            Some(bucket) if is_blob(&entry.path) => put(backup, bucket, entry).await?,
            _ => copy(backup, draft.path(), entry)?,
        }
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

/// What a host with a bucket has there.
fn is_blob(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| IMMUTABLE.contains(&folder))
}

fn copy(backup: &Path, draft: &Path, entry: &FileEntry) -> Result<(), BackupError> {
    let (from, mut file) = open(backup, entry)?;
    let copied = file::copy(&mut file, &draft.join(&entry.path));
    check(entry, &copied.map_err(BackupError::io("copy", from))?)
}

async fn put(backup: &Path, bucket: &Bucket, entry: &FileEntry) -> Result<(), BackupError> {
    let (from, mut file) = open(backup, entry)?;
    check(entry, &file::content(&mut file).map_err(BackupError::io("read", from))?)?;
    // A file of the archive may have been written again since, with more in it.
    let is_newer = entry.path.starts_with("archive/")
        && bucket.find(&entry.path).await.map_err(BackupError::ToBucket)?.is_some();
    if is_newer {
        return Ok(());
    }
    bucket.put_file(&entry.path, file).await.map_err(BackupError::ToBucket)
}

fn open(backup: &Path, entry: &FileEntry) -> Result<(PathBuf, File), BackupError> {
    let from = backup.join(&entry.path);
    match File::open(&from) {
        Ok(file) => Ok((from, file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(damaged(&entry.path, "is missing".into())),
        Err(error) => Err(BackupError::io("read", from)(error)),
    }
}

fn check(entry: &FileEntry, content: &Content) -> Result<(), BackupError> {
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
