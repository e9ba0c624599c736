//! Outgoing HTTP. Each request, on reused connections too, goes the same way: parse, match the grant, resolve, classify
//! the addresses, ask the policies, connect to a checked address, TLS with the name that was asked for.
//!
//! No proxy of the environment is used, no redirect is followed: each hop is the guest's next request.

mod address;
mod target;
mod denial;
mod connection;
mod pool;
mod body;
mod send;

pub use address::AddressClasses;
pub use send::EgressOptions;

pub(crate) use denial::Denial;
pub(crate) use send::{AttemptEgress, Egress};
