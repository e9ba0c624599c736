//! The catalog on a database in a temporary folder.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod blueprints;
mod changes;
mod directory;
mod effects;
mod installations;
mod intents;
mod isolation;
mod plans;
mod support;
mod tenants;
