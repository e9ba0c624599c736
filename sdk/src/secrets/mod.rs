//! Secrets: an action handles placeholders, and the host puts the values in, outside the sandbox.
//!
//! ```
//! use quantum_sdk::prelude::*;
//! # use quantum_sdk::testing::{Answer, Host};
//!
//! /// Tells who the token belongs to.
//! #[action(no_side_effects, http = "https://api.example.com", secrets("API_TOKEN"))]
//! fn who_am_i(ctx: &Context, (): ()) -> Result<String> {
//!     let token = ctx.secret("API_TOKEN")?;
//!     let request = ctx.http().get("https://api.example.com/me").header("authorization", token.bearer());
//!     Ok(request.send()?.error_for_status()?.text()?.to_owned())
//! }
//!
//! let host = Host::new().secret("API_TOKEN", "s3cret");
//! host.answer("GET", "https://api.example.com/me", Answer::text(200, "ada"));
//! assert_eq!(host.run::<who_am_i>(().into()).unwrap(), "ada");
//! let sent = format!("Bearer {}", host.secret_placeholder("API_TOKEN"));
//! assert_eq!(host.requests()[0].header("authorization"), Some(sent.as_str()));
//! ```

mod error;
mod secret;
mod vault;

pub use error::Error;
pub use secret::Secret;
pub use vault::Secrets;
