//! What attempts keep, in memory: the host's ports for artifacts, values and secrets without a store behind them. It
//! is as large as the process lets it be, and gone with it.

mod artifacts;
mod key_values;
mod secrets;

use std::sync::Arc;

pub(super) use artifacts::MemoryArtifacts;
pub(super) use key_values::MemoryKeyValues;
pub(super) use secrets::MemorySecrets;

/// One of each.
#[derive(Default)]
pub(super) struct Memory {
    pub artifacts: Arc<MemoryArtifacts>,
    pub key_values: Arc<MemoryKeyValues>,
    pub secrets: Arc<MemorySecrets>,
}
