//! `quantum plugin new`, `build`, `test` and `inspect`: from nothing to sources, from there to a packed component, and to
//! what it does.
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
mod new;
mod run_case;
mod service;
mod test;
mod workbench;

pub use build::{BuildArgs, Built, build};
pub use error::Error;
pub use inspect::{InspectArgs, inspect};
pub use new::{NewArgs, NewLanguage, new};
pub use test::{TestArgs, TestSummary, test};
