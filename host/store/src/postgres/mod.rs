//! What is particular to PostgreSQL: connections, roles, migrations, and the check of what they promise.

mod check;
mod connect;
#[cfg(test)]
pub(crate) mod fixtures;
mod followed;
mod migrate;
mod notice;
mod notices;
mod options;
#[cfg(test)]
mod poisoning;
mod session;
mod statistics;
mod transaction;
mod verifier;

pub use check::{Finding, inspect};
pub(crate) use connect::{Postgres, UNCONFIRMED, safe_connection, unavailable, unconfirmed};
pub use migrate::{Login, prepare};
pub(crate) use notices::{Memory, Notices};
pub use options::PostgresOptions;
pub(crate) use options::shown;
pub(crate) use session::unbounded;
pub(crate) use transaction::Transaction;
