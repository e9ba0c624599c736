//! The targets of cargo-fuzz, as functions: README.md says how to run them.

mod entries;

pub use entries::{ENTRIES, component, intent, manifest, result, sections};
