//! What each tenant has installed, in memory. Reads take no lock; a change swaps one pointer.

mod memory;
mod offer;
mod plugin;
mod schemas;

pub use memory::{Directory, Snapshot};
pub use plugin::{Bundled, InstalledPlugin, Origin};
