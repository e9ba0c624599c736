//! Components: compiled once for all tenants, kept on disk under a MAC, and linked.

mod compile;
mod child;
mod worker;
mod cwasm;
mod loaded;

pub(crate) use compile::{Compiler, digest_of};
pub use loaded::LoadError;
pub(crate) use loaded::{Components, Linked};
pub use worker::{COMMAND as COMPILE_COMMAND, compile_as_child};
