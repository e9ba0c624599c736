//! `quantum plugin build`, `test` and `inspect`: from a crate to a packed component, and from there to what it does.
//!
//! The tool shows what the host would do: its cases run in the real sandbox, with nothing granted that the manifest
//! does not declare.

mod build;
mod cargo;
mod case;
mod compare;
mod error;
mod given;
mod inspect;
mod languages;
mod left;
mod memory;
mod run_case;
mod service;
mod test;
mod workbench;

pub use build::{BuildArgs, Built, build};
pub use error::Error;
pub use inspect::{InspectArgs, inspect};
pub use test::{TestArgs, TestSummary, test};
