//! A write of PostgreSQL that is not of the journal: a transaction of its own, on the tenant's behalf.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Write;
use crate::access::Access;
use crate::postgres::{Postgres, unconfirmed};
use crate::stats::Counters;
use crate::{Error, Unavailable};

/// The task panicked, which the log says, or its runtime ends. Unless that was at the very end, nothing is kept.
const BROKEN_OFF: &str = "the change was broken off";

/// Runs `write` in a task, so that it goes on when nobody waits any more. When it gives an error nothing of it is kept.
pub(crate) async fn change<T: Send + 'static>(
    postgres: &Postgres,
    access: Access<'_>,
    counters: &Arc<Counters>,
    write: impl Write<T>,
    durable: impl FnOnce(&T) + Send + 'static,
) -> Result<T, Error> {
    let (postgres, counters, beginning) = (postgres.clone(), Arc::clone(counters), postgres.changing(access));
    // Heartbeats and claims change nothing that is kept.
    let is_of_tenant = matches!(access, Access::Tenant(_));
    // Nobody waits any more: the write stands all the same.
    let done = tokio::spawn(async move {
        let mut conn = postgres.begin_with(beginning).await?;
        let value = write(&mut conn).await?;
        conn.commit().await.map_err(not_committed)?;
        durable(&value);
        if is_of_tenant {
            // Before anybody is answered: who was told of a change never reads what was kept from before it.
            counters.changes.fetch_add(1, Ordering::Release);
        }
        Ok(value)
    });
    done.await.map_err(|_| Unavailable { reason: BROKEN_OFF, source: None })?
}

fn not_committed(error: sqlx::Error) -> Error {
    unconfirmed(error).map_or_else(Error::Query, Error::Unavailable)
}
