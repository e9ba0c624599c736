//! Servers as tests use them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod client;
mod orphan;
mod postgres;
mod skipped;
