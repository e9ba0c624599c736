//! A row of either database.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub fn text(&self, at: usize) -> Result<&str, sqlx::Error> {
        self.text_or_null(at)?.ok_or_else(|| null(at))
    }

    pub fn text_or_null(&self, at: usize) -> Result<Option<&str>, sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(at),
            Self::Postgres(row) => row.try_get_unchecked(at),
        }
    }

    pub fn bytes(&self, at: usize) -> Result<&[u8], sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(at),
            Self::Postgres(row) => row.try_get_unchecked(at),
        }
    }

    pub fn bytes_or_null(&self, at: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(at),
            Self::Postgres(row) => row.try_get_unchecked(at),
        }
    }

    pub fn int(&self, at: usize) -> Result<i64, sqlx::Error> {
        self.int_or_null(at)?.ok_or_else(|| null(at))
    }

    /// INVARIANT: numbers are BIGINT on PostgreSQL, in tables and in what statements compute. Others fail here.
    pub fn int_or_null(&self, at: usize) -> Result<Option<i64>, sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(at),
            Self::Postgres(row) => row.try_get(at),
        }
    }

    pub fn flag(&self, at: usize) -> Result<bool, sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(row) => row.try_get_unchecked::<i64, _>(at).map(|flag| flag != 0),
            Self::Postgres(row) => row.try_get(at),
        }
    }

    /// Err: SQLite has another number than 0 and 1 there.
    pub fn flag_or_null(&self, at: usize) -> Result<Option<bool>, sqlx::Error> {
        use sqlx::Row;
        match self {
            Self::Sqlite(_) => match self.int_or_null(at)? {
                None => Ok(None),
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                Some(other) => Err(sqlx::Error::ColumnDecode {
                    index: at.to_string(),
                    source: format!("{other} is neither true nor false").into(),
                }),
            },
            Self::Postgres(row) => row.try_get(at),
        }
    }
}

fn null(at: usize) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: at.to_string(), source: "it is NULL".into() }
}
