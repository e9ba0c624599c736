//! `backup.json`: what a backup is, and every file of it with its digest. Written last, so that a backup with one is
//! complete; its own digest lies beside it, in the form of `sha256sum`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use quantum_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::file::sha256;

const MANIFEST: &str = "backup.json";
const MANIFEST_DIGEST: &str = "backup.json.sha256";
/// The form of a backup that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub format: u32,
    /// Everything that was accepted before is in it.
    pub taken_at: Timestamp,
    /// Version of the program that made it.
    pub quantum: String,
    /// Of the database.
    pub schema: i64,
    pub tenants: u64,
    pub executions: u64,
    pub executions_open: u64,
    /// Sum of the files.
    pub bytes: u64,
    pub files: Vec<FileEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    /// Relative to the backup, and to the data folder.
    pub path: String,
    pub bytes: u64,
    /// 64 lowercase hex digits.
    pub sha256: String,
}

/// What every format has: enough to say who can read it.
#[derive(Deserialize)]
struct Head {
    format: u32,
    quantum: String,
}

impl Manifest {
    pub const FORMAT: u32 = FORMAT;

    pub fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let text = serde_json::to_string_pretty(self).expect("a manifest has texts and numbers only") + "\n";
        let digest = format!("{}  {MANIFEST}\n", sha256(text.as_bytes()));
        write(&folder.join(MANIFEST_DIGEST), &digest)?;
        write(&folder.join(MANIFEST), &text)
    }

    /// Err: `NotBackup`, `Damaged`, `Manifest`, `NewerFormat`, `NewerSchema`.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let not_backup = || BackupError::NotBackup { path: folder.to_owned() };
        let text = read(&folder.join(MANIFEST))?.ok_or_else(not_backup)?;
        let damaged = |file: &str, what: &str| BackupError::Damaged { file: file.into(), what: what.into() };
        let digest = read(&folder.join(MANIFEST_DIGEST))?;
        let digest = digest.ok_or_else(|| damaged(MANIFEST_DIGEST, "is missing"))?;
        if digest != format!("{}  {MANIFEST}\n", sha256(&text)).into_bytes() {
            return Err(damaged(MANIFEST, "does not have the digest that backup.json.sha256 says"));
        }
        let wrong = |what: String| BackupError::Manifest { path: folder.join(MANIFEST), what };
        let head: Head = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if head.format > FORMAT {
            let (found, program) = (head.format, head.quantum);
            return Err(BackupError::NewerFormat { found, known: FORMAT, program });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if let Some(file) = manifest.files.iter().find(|file| !stays_inside(&file.path)) {
            return Err(wrong(format!("it names \"{}\", which lies elsewhere", file.path)));
        }
        let known = quantum_store::newest_schema();
        if manifest.schema > known {
            let (found, program) = (manifest.schema, manifest.quantum);
            return Err(BackupError::NewerSchema { found, known, program });
        }
        Ok(manifest)
    }

    pub fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }
}

/// A path of plain names, so that no file is written outside of the folder.
pub(super) fn stays_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn write(path: &Path, text: &str) -> Result<(), BackupError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(BackupError::io("write", path))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, BackupError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(BackupError::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let file = FileEntry { path: "quantum.db".into(), bytes: 3, sha256: sha256(b"abc") };
        Manifest {
            format: FORMAT,
            taken_at: Timestamp::from_millis(0),
            quantum: "0.1.0".into(),
            schema: 1,
            tenants: 0,
            executions: 0,
            executions_open: 0,
            bytes: 3,
            files: vec![file],
        }
    }

    /// What reading it says after it was written like this.
    fn check(manifest: &Manifest) -> Result<Manifest, String> {
        let folder = tempfile::tempdir().unwrap();
        manifest.write(folder.path()).unwrap();
        Manifest::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_manifest_reads_as_it_was_written() {
        assert_eq!(check(&manifest()), Ok(manifest()));
    }

    #[test]
    fn a_newer_form_or_schema_is_refused_with_the_program_that_can_read_it() {
        let format = Manifest { format: 2, quantum: "0.9.0".into(), ..manifest() };
        let told =
            "the backup has format 2, and this program knows up to 1; restore it with quantum 0.9.0 or newer";
        assert_eq!(check(&format), Err(told.into()));
        let schema = Manifest { schema: 1_000, quantum: "0.9.0".into(), ..manifest() };
        let told = check(&schema).unwrap_err();
        assert!(told.contains("schema 1000") && told.contains("quantum 0.9.0 or newer"), "{told}");
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        for path in ["../x", "/etc/x", "blobs/../../x", ""] {
            let mut outside = manifest();
            outside.files[0].path = path.into();
            let told = check(&outside).unwrap_err();
            assert!(told.contains("which lies elsewhere"), "{path}: {told}");
        }
    }
}
