//! The recording of an attempt: all that its guest was told by the host, in the order in which it asked, so that the
//! attempt can be made again without a network, a store or a clock. docs/recordings.md describes the format.
//!
//! A recording comes from a file, and so from anybody: it is read within bounds, and checked before it is used.

mod call;
mod data;
mod difference;
mod document;
mod ended;
mod read;
mod schema;

pub use call::{
    Answer, Asked, Call, Header, HttpAnswer, HttpBodyEnd, HttpFailure, RecordedArtifact, RecordedEntry,
    Refusal, Sent, Told,
};
pub use data::Data;
pub use difference::{Difference, Why, compare};
pub use document::{Clocks, Cut, CutWhy, Inputs, Recording};
pub use ended::Ended;
pub use read::ReadError;
pub use schema::recording_schema;

/// The format that this host writes.
pub const RECORDING_FORMAT: u32 = 1;
/// Bytes of what is recorded of one attempt, as JSON text. Over it the recording is cut: what comes then is not kept.
pub const RECORDING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the log lines in it, which no replay needs. Over it further ones are left out.
pub const RECORDING_LINES_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a recording that is read or kept, with the parameters and the outcome. Over it: it is not.
pub const RECORDING_FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Calls, readings of clocks and draws of a recording that is read. More than an attempt could leave in its bytes.
pub const RECORDING_ITEMS_MAX: usize = 1_000_000;
