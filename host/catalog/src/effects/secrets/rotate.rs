//! A new key for a tenant. Every state between is a good one: secrets are under the new key or under one that is kept.

use quantum_core::time::Timestamp;

use super::Secrets;
use crate::Error;

/// Secrets that are read at once: their values are in memory.
const SECRETS: u32 = 50;

impl Secrets<'_> {
    /// Makes a new key under the vault's current master key, encrypts every secret with it, and removes the keys
    /// before. Cut off in the middle, it can be called again. Gives how many secrets there were. Err: `Vault`.
    pub async fn rotate(&self, at: Timestamp) -> Result<u64, Error> {
        let before = self.stored().current_key().await?.map_or(0, |key| key.version);
        let key = self.add_key(before.saturating_add(1), at).await?;
        let mut resealed = 0;
        loop {
            let older = self.stored().older(key.version, SECRETS).await?;
            if older.is_empty() {
                break;
            }
            for stored in older {
                let value = self.unseal(&stored)?;
                let sealed = key.seal(&super::binding(&stored.row), &value)?;
                resealed += u64::from(self.stored().reseal(&stored.row, sealed).await?);
            }
        }
        self.stored().drop_keys(key.version).await?;
        Ok(resealed)
    }
}
