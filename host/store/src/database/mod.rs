//! One way to ask either database: statements are written once, arguments and rows are the store's own types.
//!
//! What the two do not say alike is written down twice, beside each other (`Sql::each`), or is a hint or a name that
//! `dialect` knows.

mod arg;
mod conn;
mod decode;
mod dialect;
mod query;
mod refusal;
mod row;
mod rows;
mod statements;
mod writes;

pub(crate) use arg::Arg;
pub(crate) use conn::Conn;
pub(crate) use decode::Columns;
#[cfg(test)]
pub(crate) use dialect::FORGETS_TENANTS;
pub(crate) use dialect::{Dialect, Sql};
pub(crate) use query::Query;
pub(crate) use refusal::{Code, code, is_refusal, is_refused_row};
pub(crate) use row::Row;
pub(crate) use rows::Rows;
pub(crate) use statements::{combinations, registered, statements};
pub(crate) use writes::Writes;
