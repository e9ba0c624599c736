//! Outgoing HTTP: a small client over what the host offers. Every request is decided by the host; an answer's status is
//! not an error until [`Response::error_for_status`] says so.
//!
//! Small answers are read whole ([`Request::send`]), large ones as they come ([`Request::send_streaming`]); large bodies are
//! sent as they are read ([`Request::body_from`]).
//!
//! ```
//! use quantum_sdk::prelude::*;
//! # use quantum_sdk::testing::{Answer, Host};
//!
//! /// Puts an artifact where the installer says.
//! #[action(idempotent, artifacts, http = slot("store"))]
//! fn upload(ctx: &Context, url: String) -> Result<u16> {
//!     let size = ctx.artifacts().stat("report")?.map(|info| info.size);
//!     let report = ctx.artifacts().open("report")?;
//!     let answer = ctx.http().request("PUT", url).body_from(report, size).send()?.error_for_status()?;
//!     Ok(answer.status())
//! }
//!
//! let host = Host::new().artifact("report", "text/csv", "a,b");
//! host.answer("PUT", "https://store.example/report", Answer::status(201));
//! assert_eq!(host.run::<upload>("https://store.example/report".into()).unwrap(), 201);
//! ```

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
