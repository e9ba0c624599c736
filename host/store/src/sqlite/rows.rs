//! Statements over many rows at once: `head VALUES (…),(…) tail`.
//!
//! The number of rows is rounded up to a power of two and the rest left NULL, so that few texts are prepared and
//! all are found in the statement cache.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// Rows of one statement; more are written by several. Bounded by SQLite's 32 766 parameters.
const ROWS_MAX: usize = 256;

pub(crate) type Args<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqliteArguments>;

/// The parts of a multi-row statement. The rows are called `v`, their columns `column1` and so on; rows whose
/// `column1` is NULL are padding, which the statement must leave out.
pub(crate) struct Rows {
    pub head: &'static str,
    pub columns: usize,
    pub tail: &'static str,
}

impl Rows {
    pub fn sql(&self, rows: usize) -> String {
        let rows = rows.next_power_of_two();
        let mut row = "?,".repeat(self.columns);
        row.pop();
        let mut values = format!("({row}),").repeat(rows);
        values.pop();
        format!("{} (VALUES {values}) AS v {}", self.head, self.tail)
    }

    pub async fn write<T>(
        &self,
        conn: &mut SqliteConnection,
        items: &[T],
        bind: impl for<'q> Fn(Args<'q>, &T) -> Args<'q>,
    ) -> Result<(), sqlx::Error> {
        for chunk in items.chunks(ROWS_MAX) {
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(self.sql(chunk.len()))), &bind);
            query.execute(&mut *conn).await?;
        }
        Ok(())
    }

    pub async fn read<T>(
        &self,
        conn: &mut SqliteConnection,
        items: &[T],
        bind: impl for<'q> Fn(Args<'q>, &T) -> Args<'q>,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut rows = Vec::new();
        for chunk in items.chunks(ROWS_MAX) {
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(self.sql(chunk.len()))), &bind);
            rows.append(&mut query.fetch_all(&mut *conn).await?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_to_a_power_of_two() {
        let rows = Rows { head: "SELECT column1 FROM", columns: 2, tail: "WHERE column1 IS NOT NULL" };
        let sql = "SELECT column1 FROM (VALUES (?,?),(?,?),(?,?),(?,?)) AS v WHERE column1 IS NOT NULL";
        assert_eq!(rows.sql(3), sql);
        assert_eq!(rows.sql(4), sql);
    }
}
