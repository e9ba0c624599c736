//! Plugins as files: the manifest inside a component, what the binary proves about itself, and the gate between them.
//!
//! Nothing here runs or compiles a component, and every byte of one is taken for hostile.

mod digest;
mod error;
mod gate;
mod inspect;
mod package;
mod sections;

pub use digest::digest;
pub use error::Error;
pub use inspect::{Inspection, inspect};
pub use package::{append_manifest, read_manifest};
