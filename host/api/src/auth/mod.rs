//! Who asks: from the Authorization header to a member of a tenant.
//!
//! A token is taken apart in a fixed order, and nothing of it is believed before its signature holds. What it says
//! about roles counts only where an issuer provisions; otherwise the store decides.

mod authenticator;
mod cache;
mod claims;
pub mod embedded;
mod issuer;
mod members;
mod token;

pub use issuer::{EmbeddedIssuer, IssuerError, Issuers, SharedSecretIssuer};

pub(crate) use authenticator::{Authenticator, Session};
pub(crate) use members::assigned;
