//! Real servers for tests: each is started by the test's own process, on a free loopback port and in a folder of its
//! own, and is gone with the process, however that ends.
//!
//! For `dev-dependencies`, and for `xtask`: nothing that ships links this. A server that is not installed is [`Missing`], which
//! [`or_skip`] turns into a skipped test, and under `CI=true` into a failure. Everything else that goes wrong with a
//! server fails the test with a panic that shows the server's log: a test has nothing better to do with it.

mod missing;
mod port;
mod account;
mod process;
mod guard;
mod postgres;

pub use missing::{Missing, SKIPPED, or_skip};
pub use postgres::{Postgres, Settings, TestDatabase};
