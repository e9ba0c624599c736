//! `quantum plugin new`, `build`, `test`, `run`, `dev`, `pack` and `inspect`: from nothing to sources, from there to a
//! packed component, and to what it does.
//!
//! The tool shows what the host would do: calls are made in the real sandbox, with nothing granted that the manifest does
//! not declare, and with no network that the author does not name.

mod allow;
mod build;
mod call;
mod cargo;
mod case;
mod compare;
mod contract;
mod declaration;
mod dev;
mod error;
mod given;
mod inspect;
mod languages;
mod left;
mod memory;
mod network;
mod new;
mod pack;
mod packed;
mod replay;
mod report;
mod run;
mod run_case;
mod service;
mod test;
mod walk;
mod watch;
mod workbench;

pub use build::{BuildArgs, Built, build};
pub use dev::{DevArgs, dev};
pub use error::Error;
pub use inspect::{InspectArgs, inspect};
pub use network::Network;
pub use new::{NewArgs, NewLanguage, new};
pub use pack::{PackArgs, pack};
pub use replay::{ReplayArgs, replay};
pub use run::{CallArgs, Ended, RunArgs, run};
pub use test::{TestArgs, TestSummary, test};
