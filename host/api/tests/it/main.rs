//! The API over real HTTP, on real rooms: SQLite in a temporary folder, the shipped policies, the engine, the sandbox.
//! Only the runner of steps is the port's second implementation: it echoes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test panics where it fails")]

mod admin;
mod artifacts;
mod batch;
mod blueprints;
mod bulk;
mod bodies;
mod canary;
mod codes;
mod conventions;
mod document;
mod events;
mod executions;
mod idempotency;
mod intent_source;
mod intents;
mod isolation;
mod members;
mod on_postgres;
mod operate;
mod pages;
mod plugins;
mod raw;
mod recordings;
mod schedules;
mod secrets;
mod settings;
mod tokens;
mod tutorial;
mod twins;
mod usage;
mod world;
