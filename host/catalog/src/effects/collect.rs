//! Removes what nobody needs any more: values over their time, names of executions that are gone, artifacts without a
//! name, and blobs that no tenant has.

use quantum_core::time::Timestamp;

use super::Effects;
use crate::Error;

/// Milliseconds that an artifact without a name can still be found by its digest: a running execution may have read it
/// from the name before.
const UNHELD_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// Milliseconds for which a name is not held against its execution. Names go with the execution that they belong to; one
/// that came after it was written by an attempt that nobody waited for any more.
const NAME_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// Milliseconds for which a blob that no row names is left alone: whoever wrote it may be about to write the row.
const BLOB_KEPT_MS: u64 = 60 * 60 * 1_000;
/// Rows of one write: other writers wait that long.
const ROWS: u32 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Key-value entries.
    pub values: u64,
    pub names: u64,
    /// Of tenants; the same content of two tenants counts twice.
    pub artifacts: u64,
    pub blobs: u64,
    /// Bytes of those blobs.
    pub bytes: u64,
}

impl Effects {
    /// To be called from time to time, by one task at a time. Every part of it can be cut off and done again.
    pub async fn collect(&self, now: Timestamp) -> Result<Collected, Error> {
        let platform = self.shared.store.platform();
        let mut collected = Collected::default();
        let named = before(now, NAME_KEPT_MS);
        let unheld = before(now, UNHELD_KEPT_MS);
        while more(platform.purge_expired_values(now, ROWS).await?, &mut collected.values) {}
        while more(platform.purge_orphaned_names(named, now, ROWS).await?, &mut collected.names) {}
        while more(platform.purge_unheld_artifacts(unheld, ROWS).await?, &mut collected.artifacts) {}
        for head in 0..=u8::MAX {
            self.collect_blobs(head, before(now, BLOB_KEPT_MS), &mut collected).await?;
        }
        Ok(collected)
    }

    async fn collect_blobs(
        &self,
        head: u8,
        older_than: Timestamp,
        collected: &mut Collected,
    ) -> Result<(), Error> {
        let there = self.shared.blobs.beginning_with(head).await?;
        if there.is_empty() {
            return Ok(());
        }
        for digest in self.shared.store.platform().unknown_artifacts(there).await? {
            if let Some(bytes) = self.shared.blobs.remove_older(&digest, older_than).await? {
                collected.blobs += 1;
                collected.bytes += bytes;
            }
        }
        Ok(())
    }
}

/// Adds, and says whether there may be more.
const fn more(removed: u64, sum: &mut u64) -> bool {
    *sum += removed;
    removed >= ROWS as u64
}

const fn before(now: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub_unsigned(millis))
}
