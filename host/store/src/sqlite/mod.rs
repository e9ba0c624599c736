//! What is particular to SQLite: connections and migrations.

mod connect;
mod migrate;

pub(crate) use connect::{reader_pool, reading_connection, writer_connection};
pub(crate) use migrate::{applied_schema, known_schema, migrate};
