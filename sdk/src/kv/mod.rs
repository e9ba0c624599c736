//! Key-value data that outlives an execution: small values of the tenant and this plugin, with revisions.
//!
//! ```
//! use quantum_sdk::prelude::*;
//!
//! /// Counts how often it was called.
//! #[action(kv)]
//! fn count(ctx: &Context, (): ()) -> Result<u64> {
//!     loop {
//!         let stored = ctx.kv().get("count")?;
//!         let count = stored.as_ref().map_or(Ok(0), |entry| entry.json::<u64>())? + 1;
//!         let revision = stored.map(|entry| entry.revision);
//!         // Another execution may have been faster: then it is counted anew.
//!         if ctx.kv().compare_and_set("count", revision, count.to_string())?.is_some() {
//!             return Ok(count);
//!         }
//!     }
//! }
//!
//! let host = quantum_sdk::testing::Host::new().kv_entry("count", "41");
//! assert_eq!(host.run::<count>(().into()).unwrap(), 42);
//! ```

mod entry;
mod error;
mod store;

pub use entry::Entry;
pub use error::Error;
pub use store::Kv;
