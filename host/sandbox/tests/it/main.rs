//! The sandbox from outside: hostile guests, fit, cache, outgoing requests, stored data and secrets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod guests;
mod script;
mod heavy;
mod stores;
mod world;
mod server;
mod recorder;
mod hostile;
mod corpus;
mod boundary;
mod limits;
mod refused;
mod pool;
mod suspended;
mod bills;
mod calls;
mod fit;
mod starts;
mod cache;
mod guide;
mod egress;
mod resolution;
mod caps;
mod denials;
mod revocation;
mod key_values;
mod artifacts;
mod secrets;
mod placeholders;
mod redaction;
mod replays;
mod endpoints;
mod golden;
