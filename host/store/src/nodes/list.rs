//! All nodes, for people; and forgetting those that are gone.

use quantum_core::time::Timestamp;

use super::{NodeRecord, NodeRow, Nodes};
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query, Row};

const LIST: &str = "SELECT n.id, n.name, n.version, n.url, n.started_at, n.lease_until, n.draining, \
     n.lease_until > ?1, \
     (SELECT count(*) FROM executions e WHERE e.owner = n.id AND e.ended_at IS NULL) \
     FROM nodes n ORDER BY n.started_at, n.id";
const FORGET: &str = "DELETE FROM nodes WHERE lease_until <= ?1 - ?2 AND NOT EXISTS \
     (SELECT 1 FROM executions e WHERE e.owner = nodes.id AND e.ended_at IS NULL)";

impl Nodes<'_> {
    /// The oldest first; also those that are dead and not forgotten yet.
    pub async fn list(&self, now: Timestamp) -> Result<Vec<NodeRow>, Error> {
        self.timed(Query::new(LIST), now).await?.0.iter().map(decode).collect()
    }

    /// Removes those that have been dead for so many milliseconds and own nothing. Gives how many there were.
    pub async fn forget(&self, dead_ms: u64, now: Timestamp) -> Result<u64, Error> {
        let write = self.store.write_as(Access::Platform, move |conn| {
            Box::pin(async move {
                let now = conn.now(now).await?;
                let query = Query::new(FORGET).bind(now).bind(dead_ms.cast_signed());
                Ok(query.execute(conn).await?)
            })
        });
        write.await
    }
}

fn decode(row: &Row) -> Result<NodeRow, Error> {
    let mut columns = Columns::new(row, "nodes");
    let node = NodeRecord {
        id: columns.owned()?,
        name: columns.owned()?,
        version: columns.owned()?,
        url: columns.text_or_null()?.map(str::to_owned),
        started_at: columns.time()?,
    };
    let (lease_until, draining, alive) = (columns.time()?, columns.flag()?, columns.flag()?);
    Ok(NodeRow { node, lease_until, draining, alive, open_executions: columns.number()? })
}
