//! A transaction on a connection of the pool. However it ends, the next user of the connection finds no transaction, role
//! or tenant of this one; and no answer is waited for without end.
//!
//! Not sqlx's own: that one forgets a BEGIN whose future was dropped, or that failed half-way, and gives the connection
//! back inside of the transaction (sqlx 0.9.0, `PgTransactionManager::begin`).

use std::future::Future;
use std::io;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, SqlSafeStr};
use tokio::runtime::Handle;

use crate::database::{Code, code};

/// COMMIT alone succeeds in a transaction of which a statement failed, and keeps nothing. The statement before it fails
/// then.
const COMMIT: &str = "SELECT 1; COMMIT";

/// Dropped, nothing of it is kept.
pub(crate) struct Transaction {
    /// None: it was given back.
    conn: Option<PoolConnection<Postgres>>,
    state: State,
    answer_max: Duration,
    /// It was begun with.
    statement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server may be inside of it.
    Open,
    Ended,
    /// The server did not answer: nothing is known of the connection.
    Silent,
}

impl Transaction {
    /// `statement`: as `session` makes it. `answer_max`: for each statement.
    pub(super) async fn begin(
        pool: &PgPool,
        statement: String,
        answer_max: Duration,
    ) -> Result<Self, sqlx::Error> {
        let mut new = Self::new(pool, statement, answer_max).await?;
        new.run(AssertSqlSafe(new.statement.clone())).await?;
        Ok(new)
    }

    /// INVARIANT: open before the server hears of it. Whatever happens from here on, it is told to roll back.
    async fn new(pool: &PgPool, statement: String, answer_max: Duration) -> Result<Self, sqlx::Error> {
        Ok(Self { conn: Some(pool.acquire().await?), state: State::Open, answer_max, statement })
    }

    /// As `begin`, of a `statement` that waits for nobody: a connection that does not answer soon has died, and another one is
    /// taken. `probing`: as many times, and how soon.
    pub(super) async fn begin_probing(
        pool: &PgPool,
        statement: &str,
        (retries, soon): (u32, Duration),
        answer_max: Duration,
    ) -> Result<Self, sqlx::Error> {
        for _ in 0..retries {
            let mut probed = Self::new(pool, statement.to_owned(), soon).await?;
            match probed.run(AssertSqlSafe(statement)).await {
                Err(error) if code(&error) == Code::Gone => {}
                begun => {
                    probed.answer_max = answer_max;
                    return begun.map(|()| probed);
                }
            }
        }
        Self::begin(pool, statement.to_owned(), answer_max).await
    }

    /// Keeps nothing of what was done so far, and goes on in a transaction that may do the same.
    pub async fn begin_anew(&mut self) -> Result<(), sqlx::Error> {
        self.run(AssertSqlSafe(format!("ROLLBACK; {}", self.statement))).await
    }

    /// Statements without arguments and rows.
    pub async fn run(&mut self, text: impl SqlSafeStr) -> Result<(), sqlx::Error> {
        self.ask(async |conn| conn.execute(sqlx::raw_sql(text)).await.map(drop)).await
    }

    /// Gives how many rows were written.
    pub async fn execute(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<u64, sqlx::Error> {
        self.ask(async |conn| Ok(query.execute(conn).await?.rows_affected())).await
    }

    pub async fn fetch_all(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        self.ask(async |conn| query.fetch(conn).try_collect().await).await
    }

    /// Err: the transaction is not kept; or, when the server did not answer, perhaps it is.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.run(COMMIT).await?;
        self.state = State::Ended;
        Ok(())
    }

    async fn ask<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let conn = self.conn.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let answer = within(self.answer_max, statement(conn)).await;
        if answer.as_ref().is_err_and(is_silence) {
            self.state = State::Silent;
        }
        answer
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        match (self.state, Handle::try_current()) {
            // Dropped, it goes back to the pool.
            (State::Ended, Ok(_)) => {}
            (State::Silent, Ok(_)) => conn.close_on_drop(),
            (State::Open, Ok(runtime)) => drop(runtime.spawn(roll_back(conn, self.answer_max))),
            // The connection ends here, and what the server has of it.
            (_, Err(_)) => drop(conn.detach()),
        }
    }
}

async fn roll_back(mut conn: PoolConnection<Postgres>, answer_max: Duration) {
    let rolled_back = within(answer_max, conn.execute(sqlx::raw_sql("ROLLBACK"))).await;
    if rolled_back.is_err() {
        conn.close_on_drop();
    }
}

/// Err: also when there is no answer within this time.
pub(super) async fn within<T>(
    most: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = || sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server did not answer"));
    tokio::time::timeout(most, answer).await.map_err(|_| late())?
}

fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}
