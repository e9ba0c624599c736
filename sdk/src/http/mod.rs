//! Outgoing HTTP: a small client over what the host offers. Every request is decided by the host; an answer's status is
//! not an error until [`Response::error_for_status`] says so.

mod body;
mod date;
mod error;
mod head;
mod request;
mod response;
mod stream;
mod url;

pub use error::{Error, ErrorKind};
pub use request::{Client, Request};
pub use response::Response;
pub use stream::Stream;

pub(crate) use body::Body;
pub(crate) use error::Fault;
pub(crate) use head::Head;
pub(crate) use request::Outgoing;
pub(crate) use url::Url;
