//! Key-value data that outlives an execution: small values of the tenant and this plugin, with revisions.

mod entry;
mod error;
mod store;

pub use entry::Entry;
pub use error::Error;
pub use store::Kv;
