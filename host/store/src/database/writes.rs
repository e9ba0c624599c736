//! Several statements over many rows that are written together. SQLite gets one after another; PostgreSQL, where each is a
//! message to another process and back, gets all of them as parts of one.

use super::query::Text;
use super::{Arg, Conn, Dialect, Query, Rows};

pub(crate) struct Writes {
    dialect: Dialect,
    parts: usize,
    /// Of SQLite, each with its part: one of many rows has several.
    queries: Vec<(Part, Query)>,
    one: OneStatement,
}

/// What was added, to ask for it afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part(usize);

/// How many rows each part wrote.
pub(crate) struct RowCounts(Vec<u64>);

/// For PostgreSQL.
#[derive(Default)]
struct OneStatement {
    parts: Vec<(Part, String)>,
    args: Vec<Arg>,
}

impl Writes {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, parts: 0, queries: Vec::new(), one: OneStatement::default() }
    }

    /// What has no rows is left out.
    pub fn add<T>(&mut self, rows: &Rows, items: &[T], bind: impl Fn(Query, &T) -> Query) -> Part {
        let part = Part(self.parts);
        self.parts += 1;
        match self.dialect {
            _ if items.is_empty() => {}
            Dialect::Sqlite => {
                let queries = rows.sqlite(items, bind);
                self.queries.extend(queries.into_iter().map(|query| (part, query)));
            }
            Dialect::Postgres => self.one.add(part, rows, items, bind),
        }
        part
    }

    /// In the order in which they were added. PostgreSQL checks foreign keys once all are written, and none of them sees
    /// what another one wrote.
    pub async fn run(self, conn: &mut Conn) -> Result<RowCounts, sqlx::Error> {
        let mut written = vec![0; self.parts];
        for (Part(part), query) in self.queries {
            written[part] += query.execute(conn).await?;
        }
        if !self.one.parts.is_empty() {
            let parts: Vec<Part> = self.one.parts.iter().map(|(part, _)| *part).collect();
            let counts = self.one.query().fetch_one(conn).await?;
            for (at, Part(part)) in parts.into_iter().enumerate() {
                written[part] = counts.int(at)?.unsigned_abs();
            }
        }
        Ok(RowCounts(written))
    }
}

impl RowCounts {
    pub fn rows(&self, Part(part): Part) -> u64 {
        self.0[part]
    }
}

impl OneStatement {
    fn add<T>(&mut self, part: Part, rows: &Rows, items: &[T], bind: impl Fn(Query, &T) -> Query) {
        self.parts.push((part, rows.unnest(self.args.len() + 1)));
        self.args.extend(rows.arrays(items, bind));
    }

    /// The counts are asked for in order, and each part is run when its count is: locks are taken in the same order by
    /// every node.
    fn text(&self) -> String {
        let (mut parts, mut counts) = (Vec::new(), Vec::new());
        for (Part(number), text) in &self.parts {
            parts.push(format!("part{number} AS ({text} RETURNING 1)"));
            counts.push(format!("(SELECT count(*) FROM part{number})"));
        }
        format!("WITH {} SELECT {}", parts.join(", "), counts.join(", "))
    }

    fn query(self) -> Query {
        let text = Text::ready(self.text());
        self.args.into_iter().fold(Query::new(text), Query::bind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Sql;

    const A: Rows = Rows {
        head: "INSERT INTO a SELECT * FROM",
        columns: 2,
        tail: Sql::same("WHERE column1 IS NOT NULL"),
    };
    const B: Rows = Rows {
        head: "INSERT INTO b SELECT * FROM",
        columns: 1,
        tail: Sql::same("WHERE column1 IS NOT NULL"),
    };

    fn bind(query: Query, row: &(&'static str, i64)) -> Query {
        query.bind(row.0).bind(row.1)
    }

    #[test]
    fn postgres_gets_one_statement_without_what_has_no_rows() {
        let mut writes = Writes::new(Dialect::Postgres);
        let a = writes.add(&A, &[("x", 1), ("y", 2)], bind);
        let none = writes.add(&A, &[], bind);
        let b = writes.add(&B, &["z"], |query, row| query.bind(*row));
        assert_eq!([a, none, b], [Part(0), Part(1), Part(2)]);
        assert_eq!(
            writes.one.text(),
            "WITH part0 AS (INSERT INTO a SELECT * FROM UNNEST($1, $2) AS v (column1, column2) \
               WHERE column1 IS NOT NULL RETURNING 1), \
             part2 AS (INSERT INTO b SELECT * FROM UNNEST($3) AS v (column1) WHERE column1 IS NOT NULL RETURNING 1) \
             SELECT (SELECT count(*) FROM part0), (SELECT count(*) FROM part2)"
        );
        assert_eq!(writes.one.args.len(), 3);
    }

    #[test]
    fn sqlite_gets_one_after_another() {
        let mut writes = Writes::new(Dialect::Sqlite);
        writes.add(&A, &vec![("x", 1); 300], bind);
        writes.add(&A, &[], bind);
        writes.add(&B, &["z"], |query, row| query.bind(*row));
        let parts: Vec<usize> = writes.queries.iter().map(|(Part(part), _)| *part).collect();
        assert_eq!(parts, [0, 0, 2], "a statement takes 256 rows");
        assert!(writes.one.parts.is_empty());
    }
}
