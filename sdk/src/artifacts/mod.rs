//! Artifacts: bytes between steps and from outside, addressed by their content and kept by the host. They are read and
//! written as streams, so that they need not fit into the memory of an attempt.

mod error;
mod info;
mod reader;
mod store;
mod writer;

pub use error::Error;
pub use info::Info;
pub use reader::Reader;
pub use store::Artifacts;
pub use writer::Writer;
