//! The ledger: what the steps' effects really were, kept outside of the host, by another process, in a file of its own.
//! It believes nobody: it writes down what came before it answers.

mod plan;
mod process;
mod record;
mod serve;

pub use plan::{ALWAYS, Kind, Plan};
pub use process::Ledger;
pub use record::{Lines, Record, read};
pub use serve::serve;

/// The word by which this program is started as a ledger; no task for people.
pub const SUBCOMMAND: &str = "chaos-ledger";
