//! What is particular to PostgreSQL: connections, roles, migrations, and the check of what they promise.

mod check;
mod connect;
mod migrate;
mod notices;
mod options;
mod session;

pub use check::{Finding, inspect};
pub(crate) use connect::{Postgres, unavailable};
pub use migrate::{Login, prepare};
pub(crate) use notices::{Memory, Notices};
pub use options::PostgresOptions;
pub(crate) use session::changing;
