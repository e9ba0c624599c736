//! The whole host, as its users meet it: real processes on free ports and temporary data folders, driven over HTTP and
//! by the command line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a helper of it does")]

mod backup;
mod blueprints;
mod bombs;
mod buckets;
mod client;
mod commands;
mod compile;
mod corpus;
mod golden;
mod guests;
mod home;
mod hostile;
mod kill;
mod lifecycle;
mod operations;
mod pipeline;
mod plugin;
mod recordings;
mod revocation;
mod schedule;
mod service;
mod tutorial;
