//! Nodes on the wire.

use quantum_store::NodeRow;
use serde::Serialize;
use utoipa::ToSchema;

/// A process that works on the store of this host.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeBody {
    /// Of this process: another one after a restart.
    pub id: String,
    /// The same after a restart.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// `alive`: its lease is not over. `draining`: it is about to end and takes no new work. `gone`: others take over what
    /// it ran.
    pub status: &'static str,
    #[schema(format = DateTime)]
    pub started_at: String,
    /// By the clock of the database.
    #[schema(format = DateTime)]
    pub lease_until: String,
    /// Executions of it that have not ended.
    pub open_executions: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeList {
    pub items: Vec<NodeBody>,
}

impl From<NodeRow> for NodeBody {
    fn from(row: NodeRow) -> Self {
        let status = match row {
            NodeRow { alive: false, .. } => "gone",
            NodeRow { draining: true, .. } => "draining",
            NodeRow { .. } => "alive",
        };
        Self {
            id: row.node.id,
            name: row.node.name,
            version: row.node.version,
            status,
            started_at: row.node.started_at.to_string(),
            lease_until: row.lease_until.to_string(),
            open_executions: row.open_executions,
        }
    }
}
