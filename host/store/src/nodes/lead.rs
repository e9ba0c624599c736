//! What one node does for all, such as starting what schedules are due for.

use quantum_core::time::Timestamp;

use super::Nodes;
use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query};

/// Who leads, when whoever does has a lease and goes on.
const LEADER: &str = "SELECT l.node FROM leaders l JOIN nodes n ON n.id = l.node \
     WHERE l.name = ?1 AND n.lease_until > ?2 AND n.draining = FALSE";
/// Somebody else may have been faster; a node without a lease does not lead.
const LEAD: &str = "INSERT INTO leaders (name, node) \
     SELECT ?1, n.id FROM nodes n WHERE n.id = ?2 AND n.lease_until > ?3 AND n.draining = FALSE \
     ON CONFLICT (name) DO UPDATE SET node = excluded.node WHERE NOT EXISTS \
     (SELECT 1 FROM nodes o WHERE o.id = leaders.node AND o.lease_until > ?3 AND o.draining = FALSE)";

impl Nodes<'_> {
    /// Whether the node does what has this name, from now on or still. No two do at a time, unless one of them has been
    /// paused past its lease and does not know yet.
    pub async fn lead(&self, name: &str, node: &str, now: Timestamp) -> Result<bool, Error> {
        let (found, now) = self.timed(Query::new(LEADER).bind(name.to_owned()), now).await?;
        if let Some(row) = found.first() {
            return Ok(Columns::new(row, "leaders").text()? == node);
        }
        let query = Query::new(LEAD).bind(name.to_owned()).bind(node.to_owned()).bind(now);
        Ok(self.store.platform().write(Access::Platform, query).await? > 0)
    }
}
