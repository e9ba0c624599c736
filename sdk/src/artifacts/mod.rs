//! Artifacts: bytes between steps and from outside, addressed by their content and kept by the host. They are read and
//! written as streams, so that they need not fit into the memory of an attempt.
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use quantum_sdk::prelude::*;
//!
//! /// Counts and sorts the lines of an artifact.
//! #[action(idempotent, artifacts)]
//! fn sort_lines(ctx: &Context, name: String) -> Result<u64> {
//!     let reader = BufReader::new(ctx.artifacts().open(&name)?);
//!     let mut lines = reader.lines().collect::<std::io::Result<Vec<_>>>()?;
//!     lines.sort();
//!     let mut sorted = ctx.artifacts().create("text/plain")?;
//!     lines.iter().try_for_each(|line| writeln!(sorted, "{line}"))?;
//!     Ok(sorted.finish("sorted")?.size)
//! }
//!
//! let host = quantum_sdk::testing::Host::new().artifact("names", "text/plain", "b\na\n");
//! assert_eq!(host.run::<sort_lines>("names".into()).unwrap(), 4);
//! assert_eq!(host.artifacts()[0].bytes, b"a\nb\n");
//! ```

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
