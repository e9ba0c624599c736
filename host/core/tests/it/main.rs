//! The words and the machine as other rooms see them. Cases are text files beside this folder; `UPDATE=1 cargo test
//! -p quantum-core` writes what they expect again, and the diff is the review.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod documents;
mod events;
mod expressions;
mod hostile;
mod machine;
mod operations;
mod pairs;
mod properties;
mod recording;
mod schedule;
mod schemas;
mod script;
mod support;
