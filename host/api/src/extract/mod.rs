//! From requests to values: the caller, the body, the query, the path.

mod parameters;
mod payload;
mod segment;
mod session;

pub(crate) use parameters::Parameters;
pub(crate) use payload::{Payload, typed};
pub(crate) use segment::Segment;
pub(crate) use session::{PeerAddress, Platform};
