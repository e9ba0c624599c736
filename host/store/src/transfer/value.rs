//! A value of a column, the same from whichever database it was read.

use aws_lc_rs::digest::Context;

use crate::database::Row;

/// What a column holds, as PostgreSQL's catalog says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Flag,
    Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'r> {
    Null,
    Text(&'r str),
    Int(i64),
    Flag(bool),
    Bytes(&'r [u8]),
}

impl Kind {
    /// None: no column of the store is of this type.
    pub fn of(type_name: &str) -> Option<Self> {
        match type_name {
            "text" => Some(Self::Text),
            "int8" => Some(Self::Int),
            "bool" => Some(Self::Flag),
            "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }

    pub const fn array(self) -> &'static str {
        match self {
            Self::Text => "text[]",
            Self::Int => "int8[]",
            Self::Flag => "bool[]",
            Self::Bytes => "bytea[]",
        }
    }
}

impl<'r> Value<'r> {
    pub fn read(row: &'r Row, at: usize, kind: Kind) -> Result<Self, sqlx::Error> {
        Ok(match kind {
            Kind::Text => row.text_or_null(at)?.map_or(Self::Null, Self::Text),
            Kind::Int => row.int_or_null(at)?.map_or(Self::Null, Self::Int),
            Kind::Flag => row.flag_or_null(at)?.map_or(Self::Null, Self::Flag),
            Kind::Bytes => row.bytes_or_null(at)?.map_or(Self::Null, Self::Bytes),
        })
    }

    /// In memory and on the wire, roughly.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Null | Self::Flag(_) => 4,
            Self::Int(_) => 12,
            Self::Text(text) => text.len() + 4,
            Self::Bytes(bytes) => bytes.len() + 4,
        }
    }

    /// No two rows of different values give the same bytes: each value says its kind and its length.
    pub fn hash(self, into: &mut Context) {
        let sized = |into: &mut Context, tag: u8, bytes: &[u8]| {
            into.update(&[tag]);
            into.update(&(bytes.len() as u64).to_le_bytes());
            into.update(bytes);
        };
        match self {
            Self::Null => into.update(&[0]),
            Self::Text(text) => sized(into, 1, text.as_bytes()),
            Self::Int(number) => sized(into, 2, &number.to_le_bytes()),
            Self::Flag(flag) => sized(into, 3, &[u8::from(flag)]),
            Self::Bytes(bytes) => sized(into, 4, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::SHA256;

    use super::*;

    fn digest(row: &[Value<'_>]) -> Vec<u8> {
        let mut hash = Context::new(&SHA256);
        row.iter().for_each(|value| value.hash(&mut hash));
        hash.finish().as_ref().to_vec()
    }

    #[test]
    fn rows_that_differ_in_one_value_or_in_its_place_have_other_hashes() {
        let rows: [&[Value<'_>]; 8] = [
            &[Value::Text("ab"), Value::Text("c")],
            &[Value::Text("a"), Value::Text("bc")],
            &[Value::Text("abc"), Value::Text("")],
            &[Value::Text("abc"), Value::Null],
            &[Value::Null, Value::Text("abc")],
            &[Value::Bytes(b"ab"), Value::Text("c")],
            &[Value::Int(1), Value::Flag(true)],
            &[Value::Flag(true), Value::Int(1)],
        ];
        let hashes: std::collections::HashSet<_> = rows.iter().map(|row| digest(row)).collect();
        assert_eq!(hashes.len(), rows.len());
    }
}
