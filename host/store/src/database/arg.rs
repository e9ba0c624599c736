//! Arguments of statements. Each says its type also when it is NULL: PostgreSQL asks.

use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arg {
    Text(Option<String>),
    /// As `Text`, for what is large and shared.
    Shared(Arc<str>),
    Int(Option<i64>),
    Flag(bool),
    Bytes(Vec<u8>),
    /// Columns of many rows, for PostgreSQL.
    Texts(Vec<Option<String>>),
    Ints(Vec<Option<i64>>),
    Flags(Vec<bool>),
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<String>> for Arg {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<&str>> for Arg {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<Arc<str>> for Arg {
    fn from(value: Arc<str>) -> Self {
        Self::Shared(value)
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<Vec<u8>> for Arg {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
