//! The sandbox from outside: hostile guests, fit, cache, and outgoing requests.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod guests;
mod world;
mod server;
mod hostile;
mod calls;
mod fit;
mod cache;
mod egress;
