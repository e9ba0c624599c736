//! What the server's planner knows of the tables, which it plans statements by.

use std::time::Duration;

use super::Postgres;
use crate::Error;
use crate::access::Access;
use crate::database::Query;

/// A table grows from nothing to what a wrong plan makes slow in less than a second.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(500);
/// Nothing to do costs it the sizes of all tables.
const LEARN: &str = "SELECT app.learn()";

/// For as long as the store is open.
pub(super) async fn keep_learning(postgres: Postgres) {
    while !postgres.is_closed() {
        tokio::time::sleep(LOOKED_AT_EVERY).await;
        if let Err(error) = learn(&postgres).await {
            tracing::debug!(error = %error, "what the planner knows of the tables was not brought up to date");
        }
    }
}

async fn learn(postgres: &Postgres) -> Result<(), Error> {
    let mut conn = postgres.begin(Access::Platform).await?;
    Query::new(LEARN).fetch_one(&mut conn).await?;
    conn.commit().await?;
    Ok(())
}
