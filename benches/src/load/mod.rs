//! The load generator: a host of its own, clients in a closed loop over HTTP, a table and a JSON file.
//!
//! Nothing of the host is switched off for it: tokens, policies, schemas, the sandbox and `synchronous=FULL` are on.

mod client;
mod drive;
mod error;
mod host;
mod metrics;
mod options;
mod report;
mod run;
mod setup;

pub use error::{Error, full_text};
pub use options::Options;
pub use run::run;
