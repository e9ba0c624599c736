//! Talking to a registry by the OCI distribution specification.

mod client;
mod location;
mod challenge;
mod auth;
mod refusal;
mod pull;
mod upload;

pub use client::Client;
pub use pull::{Base, pull};
pub use upload::{Put, Target, put_blob, put_manifest};

/// What a token is asked for.
pub fn scope(repository: &str, actions: &str) -> String {
    format!("repository:{repository}:{actions}")
}
