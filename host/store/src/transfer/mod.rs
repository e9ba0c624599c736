//! The way from SQLite to PostgreSQL: everything in the database of a stopped host, moved into an empty database.
//!
//! Rows go page by page in the order of their keys, a transaction a page, so that memory is bounded and what was cut off
//! goes on behind the last key that is there. A row of `transfers` keeps hosts away until both sides were compared.
//! Nothing is written to the database that is read.

mod check;
mod copy;
mod error;
mod page;
mod report;
mod run;
mod schema;
mod source;
mod target;
mod value;
mod words;

pub use error::TransferError;
pub use report::{ComparedTable, Difference, Transferred};
pub use run::{TransferOptions, TransferStep, transfer};
