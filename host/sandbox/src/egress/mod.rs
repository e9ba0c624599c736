//! Outgoing HTTP. Each request, on reused connections too, goes the same way: parse, match the grant of this moment, find
//! the endpoint, resolve, classify the addresses, ask the policies, put secrets in, connect to a checked address, TLS with
//! the name of where it really goes.
//!
//! No proxy of the environment is used, no redirect is followed: each hop is the guest's next request.

pub mod limits;
mod options;
mod address;
mod target;
mod route;
mod trust;
mod allowing;
mod denial;
mod notes;
mod resolve;
mod fill;
mod fill_body;
mod connection;
mod pool;
mod body;
mod exchange;
mod send;

pub use address::AddressClasses;
pub use options::EgressOptions;
pub use resolve::{Resolver, SystemResolver};

#[cfg(test)]
pub(crate) use denial::Denial;
pub(crate) use notes::{Denied, Notes};
pub(crate) use send::{AttemptEgress, Egress};
