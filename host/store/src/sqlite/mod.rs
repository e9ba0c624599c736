//! What is particular to SQLite: connections, migrations, multi-row statements, decoding of rows.

mod connect;
mod decode;
mod migrate;
mod rows;
mod statements;

pub(crate) use connect::{Code, code, is_refusal, reader_pool, reading_connection, writer_connection};
pub(crate) use decode::Columns;
pub(crate) use migrate::{applied_schema, known_schema, migrate};
pub(crate) use rows::{Args, Rows};
pub(crate) use statements::{combinations, registered, statements};
