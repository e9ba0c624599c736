//! Rows on their way: one array a column, bounded in rows and bytes.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;

use super::schema::Table;
use super::value::{Kind, Value};
use crate::database::Row;

/// Bytes after which a page is full. One row more is in it then: what a row can hold is bounded elsewhere.
const BYTES_MAX: usize = 4 << 20;

pub(super) struct Page {
    columns: Vec<Values>,
    rows: usize,
    rows_max: usize,
    bytes: usize,
}

enum Values {
    Texts(Vec<Option<String>>),
    Ints(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Page {
    pub fn new(kinds: impl Iterator<Item = Kind>, rows_max: usize) -> Self {
        Self { columns: kinds.map(Values::new).collect(), rows: 0, rows_max, bytes: 0 }
    }

    /// What PostgreSQL sums up itself begins at zero.
    pub fn push(&mut self, table: &Table, row: &Row) -> Result<(), sqlx::Error> {
        for (at, column) in table.columns.iter().enumerate() {
            let value = if column.is_sum { Value::Int(0) } else { Value::read(row, at, column.kind)? };
            self.bytes += value.bytes();
            self.columns[at].push(value);
        }
        self.rows += 1;
        Ok(())
    }

    pub fn push_texts(&mut self, texts: &[&str]) {
        for (column, text) in self.columns.iter_mut().zip(texts) {
            self.bytes += text.len();
            column.push(Value::Text(text));
        }
        self.rows += 1;
    }

    pub const fn rows(&self) -> usize {
        self.rows
    }

    pub const fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.bytes >= BYTES_MAX
    }

    /// The rows, one a page.
    pub fn singly(&self) -> impl Iterator<Item = Self> {
        (0..self.rows).map(|at| Self {
            columns: self.columns.iter().map(|column| column.only(at)).collect(),
            rows: 1,
            rows_max: 1,
            bytes: 0,
        })
    }

    /// Key of the first row, for people.
    pub fn first_key(&self, table: &Table) -> String {
        let parts = table.key.iter().map(|at| self.columns[*at].first());
        parts.collect::<Vec<_>>().join(" / ")
    }

    /// An array a column, in their order.
    pub fn bind<'q>(
        &self,
        query: sqlx::query::Query<'q, Postgres, PgArguments>,
    ) -> sqlx::query::Query<'q, Postgres, PgArguments> {
        self.columns.iter().fold(query, |query, column| match column {
            Values::Texts(values) => query.bind(values.clone()),
            Values::Ints(values) => query.bind(values.clone()),
            Values::Flags(values) => query.bind(values.clone()),
            Values::Bytes(values) => query.bind(values.clone()),
        })
    }
}

impl Values {
    const fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Int => Self::Ints(Vec::new()),
            Kind::Flag => Self::Flags(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// INVARIANT: a value is of its column's kind, for it was read as that.
    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Texts(all), Value::Text(text)) => all.push(Some(text.to_owned())),
            (Self::Ints(all), Value::Int(number)) => all.push(Some(number)),
            (Self::Flags(all), Value::Flag(flag)) => all.push(Some(flag)),
            (Self::Bytes(all), Value::Bytes(bytes)) => all.push(Some(bytes.to_owned())),
            (Self::Texts(all), Value::Null) => all.push(None),
            (Self::Ints(all), Value::Null) => all.push(None),
            (Self::Flags(all), Value::Null) => all.push(None),
            (Self::Bytes(all), Value::Null) => all.push(None),
            (_, other) => debug_assert!(false, "a column cannot hold {other:?}"),
        }
    }

    fn only(&self, at: usize) -> Self {
        match self {
            Self::Texts(all) => Self::Texts(vec![all[at].clone()]),
            Self::Ints(all) => Self::Ints(vec![all[at]]),
            Self::Flags(all) => Self::Flags(vec![all[at]]),
            Self::Bytes(all) => Self::Bytes(vec![all[at].clone()]),
        }
    }

    fn first(&self) -> String {
        match self {
            Self::Texts(all) => {
                let text = all.first().and_then(Option::as_deref).unwrap_or_default();
                text.escape_debug().to_string()
            }
            Self::Ints(all) => all.first().copied().flatten().unwrap_or_default().to_string(),
            Self::Flags(_) | Self::Bytes(_) => "…".to_owned(),
        }
    }
}
