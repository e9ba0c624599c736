//! Components: compiled once, kept on disk under a MAC, and linked once for all tenants.

mod compile;
mod cwasm;
mod loaded;

pub(crate) use compile::{Compiler, digest_of};
pub(crate) use loaded::{Components, Linked, LoadError};
