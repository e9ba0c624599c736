//! A statement with its arguments, to be run on a connection of either database.

use futures::TryStreamExt;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, SqlStr, Sqlite};

use super::{Arg, Conn, Dialect, Row, Sql};

type OfSqlite<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;
type OfPostgres<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

#[derive(Debug, Clone)]
pub(crate) struct Query {
    text: Text,
    args: Vec<Arg>,
}

#[derive(Debug, Clone)]
pub(crate) enum Text {
    Fixed(Sql),
    /// Composed of fixed parts, in the words of SQLite.
    Composed(String),
    /// In the words of the database that it is for.
    Ready(String),
}

impl From<Sql> for Text {
    fn from(sql: Sql) -> Self {
        Self::Fixed(sql)
    }
}

impl From<&'static str> for Text {
    fn from(sql: &'static str) -> Self {
        Self::Fixed(Sql::same(sql))
    }
}

impl From<String> for Text {
    fn from(sql: String) -> Self {
        Self::Composed(sql)
    }
}

impl Query {
    pub fn new(text: impl Into<Text>) -> Self {
        Self { text: text.into(), args: Vec::new() }
    }

    pub fn bind(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn into_args(self) -> Vec<Arg> {
        self.args
    }

    /// Gives how many rows were written.
    pub async fn execute(self, conn: &mut Conn) -> Result<u64, sqlx::Error> {
        let text = self.text.sql(conn.dialect());
        match conn {
            Conn::Postgres(conn) => conn.execute(postgres(text, self.args)).await,
            conn => Ok(sqlite(text, self.args).execute(conn.sqlite()?).await?.rows_affected()),
        }
    }

    /// As `execute`, for an INSERT of SQLite: gives the rowid.
    pub async fn insert(self, conn: &mut Conn) -> Result<i64, sqlx::Error> {
        let text = self.text.sql(Dialect::Sqlite);
        Ok(sqlite(text, self.args).execute(conn.sqlite()?).await?.last_insert_rowid())
    }

    pub async fn fetch_all(self, conn: &mut Conn) -> Result<Vec<Row>, sqlx::Error> {
        let text = self.text.sql(conn.dialect());
        match conn {
            Conn::Postgres(conn) => {
                let rows = conn.fetch_all(postgres(text, self.args)).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
            conn => sqlite(text, self.args).fetch(conn.sqlite()?).map_ok(Row::Sqlite).try_collect().await,
        }
    }

    /// All rows are read: a statement that also writes has run only then.
    pub async fn fetch_optional(self, conn: &mut Conn) -> Result<Option<Row>, sqlx::Error> {
        Ok(self.fetch_all(conn).await?.into_iter().next())
    }

    /// Err: `RowNotFound`.
    pub async fn fetch_one(self, conn: &mut Conn) -> Result<Row, sqlx::Error> {
        self.fetch_optional(conn).await?.ok_or(sqlx::Error::RowNotFound)
    }
}

impl Text {
    pub(super) fn ready(text: String) -> Self {
        Self::Ready(text)
    }

    fn sql(self, dialect: Dialect) -> SqlStr {
        use sqlx::SqlSafeStr;
        let text = match (self, dialect) {
            (Self::Fixed(sql), _) => sql.text(dialect),
            (Self::Composed(text), Dialect::Postgres) => super::dialect::to_postgres(&text).into(),
            (Self::Composed(text) | Self::Ready(text), _) => text.into(),
        };
        AssertSqlSafe(super::dialect::as_asked(text)).into_sql_str()
    }
}

fn sqlite(text: SqlStr, args: Vec<Arg>) -> OfSqlite<'static> {
    args.into_iter().fold(sqlx::query(text), |query, arg| match arg {
        Arg::Text(text) => query.bind(text),
        Arg::Shared(text) => query.bind(text),
        Arg::Int(number) => query.bind(number),
        Arg::Flag(flag) => query.bind(i64::from(flag)),
        Arg::Bytes(bytes) => query.bind(bytes),
        // `Rows` makes them, for PostgreSQL.
        Arg::Texts(_) | Arg::Ints(_) | Arg::Flags(_) => query,
    })
}

fn postgres(text: SqlStr, args: Vec<Arg>) -> OfPostgres<'static> {
    args.into_iter().fold(sqlx::query(text), |query, arg| match arg {
        Arg::Text(text) => query.bind(text),
        Arg::Shared(text) => query.bind(text),
        Arg::Int(number) => query.bind(number),
        Arg::Flag(flag) => query.bind(flag),
        Arg::Bytes(bytes) => query.bind(bytes),
        Arg::Texts(texts) => query.bind(texts),
        Arg::Ints(numbers) => query.bind(numbers),
        Arg::Flags(flags) => query.bind(flags),
    })
}
