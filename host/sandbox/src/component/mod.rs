//! Components: compiled once for all tenants, large ones first quickly and then well, kept on disk under a MAC, and linked.

mod compile;
mod child;
mod worker;
mod cwasm;
mod entries;
mod loaded;
mod optimizer;
mod tier;

pub(crate) use compile::{Compiler, digest_of};
pub(crate) use entries::Linked;
pub(crate) use loaded::{Components, LoadError};
pub(crate) use tier::Tier;
pub use worker::{COMMAND as COMPILE_COMMAND, compile_as_child};
