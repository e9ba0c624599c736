//! Makes a backup, whether a host serves or not.

use std::fs;
use std::path::{Path, PathBuf};

use quantum_core::id::Digest;
use quantum_engine::{Clock, SystemClock};
use quantum_store::{Bucket, SnapshotContents, blob_file, snapshot, snapshot_contents};

use super::copies::Copies;
use super::draft::{self, Draft};
use super::error::BackupError;
use super::manifest::{FileEntry, Manifest};
use super::{CONFIGURATION, DATABASE, IMMUTABLE, KEYS, MADE_ANEW};

/// What was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    pub tenants: u64,
    pub executions: u64,
    pub executions_open: u64,
    pub files: usize,
    pub bytes: u64,
    /// What lies in the data folder, is none of the host's, and was not saved.
    pub left_out: Vec<String>,
}

/// Copies a data folder into a new one, with what its host has in a bucket. `each` is told the bytes of every file. Files are copied on this thread: the
/// process does nothing else.
pub(crate) async fn save(
    data_dir: &Path,
    bucket: Option<&Bucket>,
    destination: &Path,
    keys: bool,
    each: &dyn Fn(u64),
) -> Result<Saved, BackupError> {
    check(data_dir, destination)?;
    let draft = Draft::new(destination)?;
    let taken_at = SystemClock.now();
    let mut copies = Copies::new(data_dir, draft.path(), each);
    copy_blobs(&mut copies, bucket).await?;
    let database = draft.path().join(DATABASE);
    snapshot(&data_dir.join(DATABASE), &database).await.map_err(BackupError::Snapshot)?;
    copies.made(DATABASE)?;
    // What rows of the snapshot name was written before them: it is there by now.
    copy_blobs(&mut copies, bucket).await?;
    if keys {
        copies.folder(KEYS)?;
    }
    copies.file(CONFIGURATION)?;
    let contents = snapshot_contents(&database).await.map_err(BackupError::Check)?;
    check_named(&contents, &copies)?;
    let files = entries(copies)?;
    let manifest = Manifest {
        format: Manifest::FORMAT,
        taken_at,
        quantum: env!("CARGO_PKG_VERSION").to_owned(),
        schema: contents.schema,
        tenants: contents.tenants,
        executions: contents.executions,
        executions_open: contents.executions_open,
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
    };
    manifest.write(draft.path())?;
    draft.finish()?;
    let left_out = left_out(data_dir).map_err(BackupError::io("read the folder", data_dir))?;
    let Manifest { tenants, executions, executions_open, bytes, files, .. } = manifest;
    Ok(Saved { tenants, executions, executions_open, files: files.len(), bytes, left_out })
}

fn check(data_dir: &Path, destination: &Path) -> Result<(), BackupError> {
    if !data_dir.join(DATABASE).is_file() {
        return Err(BackupError::NoHost { path: data_dir.to_owned() });
    }
    if destination.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: destination.to_owned() });
    }
    let parent = draft::parent(destination);
    let real = |path: &Path| path.canonicalize().map_err(BackupError::io("open the folder", path));
    if real(parent)?.starts_with(real(data_dir)?) {
        return Err(BackupError::Inside { path: destination.to_owned() });
    }
    Ok(())
}

async fn copy_blobs(copies: &mut Copies<'_>, bucket: Option<&Bucket>) -> Result<(), BackupError> {
    for folder in IMMUTABLE {
        match bucket {
            Some(bucket) => copies.bucket(bucket, folder).await?,
            None => copies.folder(folder)?,
        }
    }
    Ok(())
}

/// Every blob that a row names is there, and is what the row says.
fn check_named(contents: &SnapshotContents, copies: &Copies<'_>) -> Result<(), BackupError> {
    let components = contents.components.iter().map(|digest| ("blobs", digest));
    let artifacts = contents.artifacts.iter().map(|digest| ("artifacts", digest));
    let missing: Vec<PathBuf> = components
        .chain(artifacts)
        .map(|(folder, digest)| (Path::new(folder).join(blob_file(digest)), digest))
        .filter(|(path, digest)| !is_there(copies, path, digest))
        .map(|(path, _)| path)
        .collect();
    match missing.first() {
        None => Ok(()),
        Some(first) => {
            Err(BackupError::Incomplete { first: first.display().to_string(), count: missing.len() })
        }
    }
}

fn is_there(copies: &Copies<'_>, path: &Path, digest: &Digest) -> bool {
    copies.content(path).is_some_and(|content| digest.as_str() == format!("sha256:{}", content.sha256))
}

fn entries(copies: Copies<'_>) -> Result<Vec<FileEntry>, BackupError> {
    copies
        .into_contents()
        .map(|(path, content)| match path.to_str() {
            Some(text) => {
                Ok(FileEntry { path: text.to_owned(), bytes: content.bytes, sha256: content.sha256 })
            }
            None => Err(BackupError::NoName { path }),
        })
        .collect()
}

/// Names in the data folder that are neither saved nor made anew by a host.
fn left_out(data_dir: &Path) -> std::io::Result<Vec<String>> {
    let known = |name: &str| {
        [DATABASE, KEYS, CONFIGURATION].contains(&name)
            || IMMUTABLE.contains(&name)
            || MADE_ANEW.contains(&name)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(data_dir)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !known(name));
    names.sort();
    Ok(names)
}
