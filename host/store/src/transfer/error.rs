//! Why a transfer was not begun, or not finished.

use std::path::PathBuf;

use crate::Error;

#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error(
        "{} has schema {found}, and this program's is {known}; start this program's host on it once, and stop it: \
         quantum serve --data-dir {}", path.display(), path.parent().unwrap_or(path).display()
    )]
    OlderSchema { path: PathBuf, found: i64, known: i64 },
    #[error("{} has schema {found}, and this program knows up to {known}; use the program that served it last", path.display())]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error(
        "the database {place} is not empty: it has {found}; name another one, made with: createdb NAME, then quantum store \
         prepare"
    )]
    NotEmpty { place: String, found: String },
    #[error(
        "the database {place} has a part of another data folder, {source_dir}; finish that with: quantum migrate --from \
         {source_dir} --to the same, or name another database"
    )]
    OtherSource { place: String, source_dir: String },
    #[error("the host \"{host}\" serves the database {place}; stop it first")]
    Served { place: String, host: String },
    #[error("another transfer writes to the database {place}; wait for its end")]
    Running { place: String },
    /// The two schemas do not fit: a defect of this program.
    #[error("{what}; this is a defect of this program")]
    Schema { what: String },
    #[error(
        "move the row {row} of \"{table}\", which PostgreSQL does not take; nothing is lost, and nothing serves the \
             database yet"
    )]
    Refused {
        table: String,
        /// Its key.
        row: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("read a row of \"{table}\"")]
    Unreadable {
        table: String,
        #[source]
        source: sqlx::Error,
    },
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl TransferError {
    /// What was asked cannot be: nothing was tried.
    pub const fn is_usage(&self) -> bool {
        use TransferError::{NewerSchema, NotEmpty, OlderSchema, OtherSource};
        matches!(self, OlderSchema { .. } | NewerSchema { .. } | NotEmpty { .. } | OtherSource { .. })
    }
}
