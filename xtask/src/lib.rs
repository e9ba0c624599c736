//! All automation, in Rust: what a newcomer runs, what CI runs, and the rules that the code is held to.
//!
//! The first thing that is compiled on a fresh clone, so it depends on little and on no package of the host.

pub mod artifacts;
pub mod bench;
pub mod chaos;
pub mod codegen;
pub mod demo;
pub mod error;
pub mod help;
pub mod http;
pub mod languages;
pub mod shell;
pub mod skipped;
pub mod standin;
pub mod test;
pub mod tidy;
pub mod tools;
pub mod wit;
pub mod workspace;
