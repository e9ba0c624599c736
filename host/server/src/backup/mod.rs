//! Backups of a data folder, made while a host serves, and their way back.
//!
//! The order is what makes a copy whole. Blobs are written before the rows that name them, and kept longer: so they are
//! copied, then the database as it is at one moment, then the blobs that came meanwhile. What is incomplete has another
//! name than what is complete, at every moment.

mod copies;
mod draft;
mod error;
mod file;
mod manifest;
mod restore;
mod save;

pub(crate) use error::BackupError;
pub(crate) use restore::{Restored, restore};
pub(crate) use save::{Saved, save};

/// The database, in the data folder and in the backup.
const DATABASE: &str = crate::wire::DATABASE;
/// Folders whose files never change: components, artifacts, and executions that were put away.
const IMMUTABLE: [&str; 3] = ["blobs", "artifacts", "archive"];
const KEYS: &str = "keys";
const CONFIGURATION: &str = "quantum.toml";
/// What a data folder has and a backup needs not: it is made anew.
const MADE_ANEW: [&str; 4] = ["compiled", "lock", "quantum.db-wal", "quantum.db-shm"];
/// The keys of every data folder. Of the third, which may come from the environment, see `Keys::master`.
const HOST_KEYS: [&str; 2] = ["keys/token.key", "keys/host.key"];
const MASTER_KEY: &str = "keys/master.key";
