//! Why a backup was not made, or not restored. Nothing is left behind then, but for what a killed process left.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is there already; choose a destination that is not there", path.display())]
    Exists { path: PathBuf },
    #[error("{} has no database; name the data folder of a host with --data-dir", path.display())]
    NoHost { path: PathBuf },
    #[error("{} lies in the data folder; choose a destination outside of it", path.display())]
    Inside { path: PathBuf },
    #[error("{} has files in it, and nothing is written over; choose a folder that is empty or not there", path.display())]
    NotEmpty { path: PathBuf },
    #[error("{} is not the path of a folder", path.display())]
    NoName { path: PathBuf },
    #[error("another backup or restore writes {}; wait for its end", path.display())]
    Busy { path: PathBuf },
    #[error("{} is not a complete backup: it has no backup.json; a backup that was broken off is made again", path.display())]
    NotBackup { path: PathBuf },
    #[error("{} is no backup that this program can read: {what}", path.display())]
    Manifest { path: PathBuf, what: String },
    #[error(
        "the backup has format {found}, and this program knows up to {known}; restore it with quantum {program} or newer"
    )]
    NewerFormat { found: u32, known: u32, program: String },
    #[error(
        "the backup has schema {found}, and this program knows up to {known}; restore it with quantum {program} or newer"
    )]
    NewerSchema { found: i64, known: i64, program: String },
    #[error("the backup is damaged: {file} {what}; take another backup")]
    Damaged { file: String, what: String },
    #[error(
        "{count} files that the database names are missing or damaged in the data folder, the first is {first}; put it \
         back from an earlier backup, then make this one again"
    )]
    Incomplete { first: String, count: usize },
    #[error("{doing} {}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("copy from the bucket")]
    FromBucket(#[source] quantum_store::Error),
    #[error("restore to the bucket")]
    ToBucket(#[source] quantum_store::Error),
    #[error("copy the database")]
    Snapshot(#[source] quantum_store::Error),
    #[error("check the database of the backup")]
    Check(#[source] quantum_store::Error),
}

impl BackupError {
    /// What was asked cannot be: nothing was tried.
    pub const fn is_usage(&self) -> bool {
        use BackupError::{Exists, Inside, NoHost, NoName, NotEmpty};
        matches!(self, Exists { .. } | Inside { .. } | NoHost { .. } | NoName { .. } | NotEmpty { .. })
    }

    /// For `map_err`: what was being done to which file.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
