//! Statements over many rows at once: `head <rows> AS v tail`.
//!
//! SQLite gets `VALUES (…),(…)`, whose number is rounded up to a power of two and the rest left NULL, so that few texts
//! are prepared and all are found in the statement cache. PostgreSQL gets one array a column, and one text for any
//! number.

use super::query::Text;
use super::{Arg, Conn, Dialect, Query, Row, Sql};

/// Rows of one statement of SQLite; more are written by several. Bounded by its 32 766 parameters.
const ROWS_MAX: usize = 256;

/// The parts of a multi-row statement. The rows are called `v`, their columns `column1` and so on; rows whose
/// `column1` is NULL are padding, which the statement must leave out.
pub(crate) struct Rows {
    pub head: &'static str,
    pub columns: usize,
    pub tail: Sql,
}

impl Rows {
    /// For SQLite.
    pub fn sql(&self, rows: usize) -> String {
        let rows = rows.next_power_of_two();
        let mut row = "?,".repeat(self.columns);
        row.pop();
        let mut values = format!("({row}),").repeat(rows);
        values.pop();
        format!("{} (VALUES {values}) AS v {}", self.head, self.tail.text(Dialect::Sqlite))
    }

    /// For PostgreSQL: its arrays are the parameters from this number on.
    pub fn unnest(&self, first: usize) -> String {
        let list = |prefix: &str, first: usize| {
            (first..first + self.columns).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(", ")
        };
        let (arrays, names) = (list("$", first), list("column", 1));
        format!("{} UNNEST({arrays}) AS v ({names}) {}", self.head, self.tail.text(Dialect::Postgres))
    }

    /// For the registry, with one row and with several.
    pub fn shapes(&self, dialect: Dialect) -> Vec<String> {
        match dialect {
            Dialect::Sqlite => vec![self.sql(1), self.sql(4), self.sql(256)],
            Dialect::Postgres => vec![self.unnest(1)],
        }
    }

    /// Gives how many rows were written.
    pub async fn write<T>(
        &self,
        conn: &mut Conn,
        items: &[T],
        bind: impl Fn(Query, &T) -> Query,
    ) -> Result<u64, sqlx::Error> {
        let mut written = 0;
        for query in self.queries(conn.dialect(), items, bind) {
            written += query.execute(conn).await?;
        }
        Ok(written)
    }

    pub async fn read<T>(
        &self,
        conn: &mut Conn,
        items: &[T],
        bind: impl Fn(Query, &T) -> Query,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let mut rows = Vec::new();
        for query in self.queries(conn.dialect(), items, bind) {
            rows.append(&mut query.fetch_all(conn).await?);
        }
        Ok(rows)
    }

    fn queries<T>(&self, dialect: Dialect, items: &[T], bind: impl Fn(Query, &T) -> Query) -> Vec<Query> {
        match dialect {
            _ if items.is_empty() => Vec::new(),
            Dialect::Sqlite => self.sqlite(items, bind),
            Dialect::Postgres => {
                let query = Query::new(Text::ready(self.unnest(1)));
                vec![self.arrays(items, bind).into_iter().fold(query, Query::bind)]
            }
        }
    }

    pub(super) fn sqlite<T>(&self, items: &[T], bind: impl Fn(Query, &T) -> Query) -> Vec<Query> {
        let query = |chunk: &[T]| Query::new(Text::ready(self.sql(chunk.len())));
        items.chunks(ROWS_MAX).map(|chunk| chunk.iter().fold(query(chunk), &bind)).collect()
    }

    /// One argument a column, for PostgreSQL.
    pub(super) fn arrays<T>(&self, items: &[T], bind: impl Fn(Query, &T) -> Query) -> Vec<Arg> {
        let rows = items.iter().map(|item| bind(Query::new(Text::ready(String::new())), item).into_args());
        columns(self.columns, rows.collect())
    }
}

/// Turns rows of arguments into one argument a column.
fn columns(count: usize, rows: Vec<Vec<Arg>>) -> Vec<Arg> {
    let mut columns: Vec<Option<Arg>> = vec![None; count];
    for row in rows {
        for (column, arg) in columns.iter_mut().zip(row) {
            push(column, arg);
        }
    }
    columns.into_iter().flatten().collect()
}

/// INVARIANT: the arguments of a column are of one type, so that the first one says it.
fn push(column: &mut Option<Arg>, arg: Arg) {
    match (column, arg) {
        (Some(Arg::Texts(texts)), Arg::Text(text)) => texts.push(text),
        (Some(Arg::Texts(texts)), Arg::Shared(text)) => texts.push(Some((*text).to_owned())),
        (Some(Arg::Ints(numbers)), Arg::Int(number)) => numbers.push(number),
        (Some(Arg::Flags(flags)), Arg::Flag(flag)) => flags.push(flag),
        (column @ None, Arg::Text(text)) => *column = Some(Arg::Texts(vec![text])),
        (column @ None, Arg::Shared(text)) => *column = Some(Arg::Texts(vec![Some((*text).to_owned())])),
        (column @ None, Arg::Int(number)) => *column = Some(Arg::Ints(vec![number])),
        (column @ None, Arg::Flag(flag)) => *column = Some(Arg::Flags(vec![flag])),
        (_, other) => debug_assert!(false, "a column of many rows cannot hold {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Rows =
        Rows { head: "SELECT column1 FROM", columns: 2, tail: Sql::same("WHERE column1 IS NOT NULL") };

    #[test]
    fn rows_are_padded_to_a_power_of_two() {
        let sql = "SELECT column1 FROM (VALUES (?,?),(?,?),(?,?),(?,?)) AS v WHERE column1 IS NOT NULL";
        assert_eq!(ROWS.sql(3), sql);
        assert_eq!(ROWS.sql(4), sql);
    }

    #[test]
    fn postgres_gets_one_array_a_column() {
        let sql = "SELECT column1 FROM UNNEST($1, $2) AS v (column1, column2) WHERE column1 IS NOT NULL";
        assert_eq!(ROWS.unnest(1), sql);
        assert!(ROWS.unnest(7).contains("UNNEST($7, $8) AS v (column1, column2)"));
        let rows = vec![vec![Arg::from("a"), Arg::from(1)], vec![Arg::from("b"), Arg::from(None::<i64>)]];
        let expected = [Arg::Texts(vec![Some("a".into()), Some("b".into())]), Arg::Ints(vec![Some(1), None])];
        assert_eq!(columns(2, rows), expected);
    }
}
