//! What can go wrong in the store. Expected refusals are variants; anything else keeps its source.

use std::path::PathBuf;
use std::sync::Arc;

use crate::bucket::BucketError;
use crate::database::{Code, code};
use crate::idempotency::StoredResponse;

/// Why a read or a write did not happen. A refused write changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("open the database \"{}\": {hint}", path.display())]
    Open {
        path: PathBuf,
        hint: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("connect to the database {place}: {hint}")]
    Connect {
        place: String,
        hint: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error(
        "open the database {place}: its schema is older than this program's, or is not there; run: quantum store prepare \
         --owner URL, with a login that may change the schema"
    )]
    NotPrepared { place: String },
    /// Tenants would not be kept apart, nothing could be written, or a part of the rows is missing.
    #[error("open the database {place}: {finding}; {remedy}")]
    Unsafe { place: String, finding: String, remedy: String },
    #[error("prepare the folder \"{}\"", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("read or write a blob below \"{}\"", path.display())]
    Blob {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error("write the archive \"{}\"", path.display())]
    Archive {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "open the database: it has schema {found}, this program knows up to {known} and is too old to run beside it; \
         start quantum {oldest_binary} or newer, or restore a backup made before the upgrade"
    )]
    NewerDatabase { found: i64, known: i64, oldest_binary: String },
    #[error(
        "migration {number} cannot be applied while hosts serve that do not know it: {nodes}; stop them, prepare, and start \
         the new ones"
    )]
    NodesServe { number: i64, nodes: String },
    #[error("set the password of the login: {reason}")]
    Password { reason: String },
    #[error("apply migration {number}: {reason}")]
    Migration { number: i64, reason: String },
    #[error("{kind} \"{name}\" exists already")]
    AlreadyExists { kind: &'static str, name: String },
    #[error("{kind} \"{name}\" does not exist")]
    NotFound { kind: &'static str, name: String },
    /// The record changed since it was read.
    #[error("it is at revision {current} by now; read it again and repeat the change")]
    VersionConflict { current: u64 },
    /// The key was used before; nothing was written.
    #[error("the idempotency key was used before")]
    IdempotencyTaken(Box<StoredResponse>),
    /// A row of another tenant came back. A defect of the store: nothing of the row is shown.
    #[error("a row of table \"{table}\" does not belong to the tenant that asked")]
    ForeignRow { table: &'static str },
    /// What was read cannot have been written by this program.
    #[error("read {what}: {detail}")]
    Corrupt { what: &'static str, detail: String },
    /// A bound that came with the write; nothing was written. `used` counts what is there already.
    #[error("{what}: {used} are kept, and at most {max}")]
    OverQuota { what: &'static str, used: u64, max: u64 },
    #[error("\"{text}\" is not a page cursor; start again without one")]
    Cursor { text: String },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Nothing was written. PostgreSQL alone; SQLite keeps it.
    #[error("a text has the character U+0000, which the database does not keep: leave it out")]
    Text,
    #[error("query the database")]
    Query(#[source] sqlx::Error),
}

/// A server that is gone or full may be back soon, and is not a defect. SQLite's errors stay as they are: whoever has the
/// transaction looks at them.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match crate::postgres::unavailable(error) {
            Ok(unavailable) => Self::Unavailable(unavailable),
            Err(error) if code(&error) == Code::Value => Self::Text,
            Err(error) => Self::Query(error),
        }
    }
}

/// Why a commit was refused. Nothing of it was written; but when PostgreSQL was lost before it confirmed (`Unavailable`
/// says so) all of it may have been. Repeated, such a commit is then a `Conflict` with its own version.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// The execution is at another version (0: it does not exist).
    #[error("the execution is at version {current} by now")]
    Conflict { current: u64 },
    /// Another owner took the execution over; this one must stop.
    #[error("the execution is owned under epoch {epoch} by now")]
    Fenced { epoch: u64 },
    #[error("the idempotency key was used before")]
    IdempotencyTaken { stored: Box<StoredResponse> },
    /// The commit contradicts itself or names what does not exist. A defect of the caller.
    #[error("the commit is not valid: {reason}")]
    Invalid { reason: String },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The database could not write, or did not confirm that it did. Whoever waited for the batch gets a copy.
#[derive(Debug, Clone, thiserror::Error)]
#[error("write to the database: {reason}")]
pub struct Unavailable {
    pub reason: &'static str,
    #[source]
    pub source: Option<Arc<sqlx::Error>>,
}
