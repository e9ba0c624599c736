//! Nodes: processes that work on the same store. Each has one lease, on itself, and all executions that it owns with it.
//!
//! INVARIANT: whether a lease is over is asked inside of statements only, so that a backend that several machines share
//! can go by its own clock. `now` is the caller's.

mod lead;
mod lease;
mod list;
mod reader;

use quantum_core::time::Timestamp;

use crate::Error;
use crate::access::Access;
use crate::database::{Query, Row};
use crate::store::Store;
pub use reader::Reader;

/// A process that works on the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Of this process: another one after a restart.
    pub id: String,
    /// For people; the same after a restart.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// Where its API is reached, when it says.
    pub url: Option<String>,
    pub started_at: Timestamp,
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    pub node: NodeRecord,
    /// For people: whether it is over is what `alive` says.
    pub lease_until: Timestamp,
    /// It takes no new work, and is about to end.
    pub draining: bool,
    /// Its lease is not over.
    pub alive: bool,
    /// Executions of it that have not ended.
    pub open_executions: u64,
}

/// What a heartbeat found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The lease was there all the time since the last one.
    Held,
    /// It was over, so that others may have taken executions. From now on it holds again.
    Lost,
}

/// The nodes of a store.
pub struct Nodes<'a> {
    pub(crate) store: &'a Store,
}

impl Nodes<'_> {
    /// Asks with the time as the last argument. Gives it, too.
    async fn timed(&self, query: Query, now: Timestamp) -> Result<(Vec<Row>, i64), Error> {
        let mut conn = self.store.read_as(Access::Platform).await?;
        let now = conn.now(now).await?;
        Ok((query.bind(now).fetch_all(&mut conn).await?, now))
    }
}
