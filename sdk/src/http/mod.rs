//! Outgoing HTTP: a small client over what the host offers. Every request is decided by the host; an answer's status is
//! not an error until [`Response::error_for_status`] says so.

mod date;
mod error;
mod request;
mod response;
mod url;

pub use error::{Error, ErrorKind};
pub use request::{Client, Request};
pub use response::Response;

pub(crate) use request::Outgoing;
pub(crate) use url::Url;
