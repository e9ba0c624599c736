//! Secrets: an action handles placeholders, and the host puts the values in, outside the sandbox.

mod error;
mod secret;
mod vault;

pub use error::Error;
pub use secret::Secret;
pub use vault::Secrets;
