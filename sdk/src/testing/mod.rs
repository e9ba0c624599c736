//! Runs actions natively: scripted HTTP, artifacts, values and secrets, a clock that jumps, and a record of what the
//! action did.
//!
//! ```
//! use quantum_sdk::prelude::*;
//! use quantum_sdk::testing::{Answer, Host};
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Check { url: String }
//!
//! /// Tells the status of a page.
//! #[action(no_side_effects, http = slot("pages"))]
//! fn status(ctx: &Context, p: Check) -> Result<u16> {
//!     Ok(ctx.http().get(p.url).send()?.status())
//! }
//!
//! let host = Host::new();
//! host.answer("GET", "https://a.example/", Answer::status(204));
//! assert_eq!(host.run::<status>(serde_json::json!({ "url": "https://a.example/" })).unwrap(), 204);
//! ```

mod answer;
mod artifacts;
mod calls;
mod host;
mod http;
mod kv;
mod record;
mod secrets;

pub use answer::Answer;
pub use host::Host;
pub use record::{LogLine, SentRequest, StoredArtifact};

pub(crate) use artifacts::{ArtifactReader, ArtifactWriter};
pub(crate) use http::AnswerBody;
