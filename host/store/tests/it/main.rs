//! The store: both databases are held to the conformance suite, and each to what is its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod archive;
mod backup;
mod blobs;
mod bucket;
mod conformance;
mod crash;
mod faults;
mod isolation;
mod kept;
mod opening;
mod postgres;
mod upgrades;
mod wal;

use quantum_store::conformance::Open;
use quantum_store::{Store, StoreOptions};
use tempfile::TempDir;

/// A database file in a folder of its own.
fn options(folder: &TempDir) -> StoreOptions {
    StoreOptions::new(folder.path().join("quantum.db"))
}

async fn open(folder: &TempDir) -> Store {
    Store::open(options(folder)).await.expect("a store")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn opener(folder: &TempDir) -> Box<Open> {
    let options = options(folder);
    Box::new(move || Box::pin(Store::open(options.clone())))
}
