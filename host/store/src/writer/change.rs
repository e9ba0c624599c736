//! A write of PostgreSQL that is not of the journal: a transaction of its own, on the tenant's behalf.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::{Write, stopped};
use crate::Error;
use crate::access::Access;
use crate::postgres::{Postgres, changing};
use crate::stats::Counters;

/// Runs `write` in a task, so that it goes on when nobody waits any more. When it gives an error nothing of it is kept.
pub(crate) async fn change<T: Send + 'static>(
    postgres: &Postgres,
    access: Access<'_>,
    counters: &Arc<Counters>,
    write: impl Write<T>,
    durable: impl FnOnce(&T) + Send + 'static,
) -> Result<T, Error> {
    let (postgres, counters, beginning) = (postgres.clone(), Arc::clone(counters), changing(access));
    let (reply, answer) = oneshot::channel();
    tokio::spawn(async move {
        let done = async {
            let mut conn = postgres.begin_with(beginning).await?;
            let value = write(&mut conn).await?;
            conn.commit().await?;
            durable(&value);
            // Before anybody is answered: who was told of a change never reads what was kept from before it.
            counters.changes.fetch_add(1, Ordering::Release);
            Ok(value)
        };
        // Nobody waits any more: the write stands all the same.
        drop(reply.send(done.await));
    });
    answer.await.map_err(|_| stopped())?
}
