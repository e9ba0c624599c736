//! Statements as the login of a host, without the store: what the server itself allows.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::Prepared;

/// What the server did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So many rows were read or written.
    Rows(u64),
    /// A right is missing.
    Denied,
    /// A row that the policy does not allow to be written.
    Policy,
    /// Any other error, by its code.
    Error(String),
}

/// A connection of the login.
pub struct Raw {
    conn: PgConnection,
}

impl Raw {
    pub async fn connect(database: &Prepared) -> Self {
        let options: PgConnectOptions = database.options().url.parse().unwrap();
        Self { conn: options.connect().await.unwrap() }
    }

    /// A transaction of this role, in which these settings hold.
    pub async fn begin(&mut self, role: &str, settings: &[(&str, &str)]) {
        let settings = settings.iter().map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
        let begin = format!("BEGIN; SET LOCAL ROLE {role}{}", settings.collect::<String>());
        assert_eq!(self.ask(&begin).await, Outcome::Rows(0));
    }

    pub async fn rollback(&mut self) {
        assert_eq!(self.ask("ROLLBACK").await, Outcome::Rows(0));
    }

    /// In the transaction that was begun; nothing of it is kept.
    pub async fn try_out(&mut self, sql: &str) -> Outcome {
        self.ask("SAVEPOINT s").await;
        let outcome = self.ask(sql).await;
        self.ask("ROLLBACK TO s").await;
        outcome
    }

    pub async fn ask(&mut self, sql: &str) -> Outcome {
        match self.conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await {
            Ok(done) => Outcome::Rows(done.rows_affected()),
            Err(error) => Outcome::of(&error),
        }
    }
}

impl Outcome {
    fn of(error: &sqlx::Error) -> Self {
        let told = error.as_database_error().and_then(|told| told.try_downcast_ref::<PgDatabaseError>());
        let Some(told) = told else { return Self::Error(error.to_string()) };
        match (told.code(), told.message()) {
            ("42501", text) if text.contains("violates row-level security policy") => Self::Policy,
            ("42501", text) if text.contains("permission denied") || text.contains("must be owner") => {
                Self::Denied
            }
            (code, text) => Self::Error(format!("{code} {text}")),
        }
    }
}
