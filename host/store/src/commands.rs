//! What one node asks of another one that owns an execution: asked, taken, answered, forgotten.
//!
//! A command goes by the execution's owner of the moment. Who has taken one and died has answered nothing, and the next
//! owner takes it again: to do it twice must be harmless.

use std::collections::BTreeSet;

use quantum_core::id::{CommandId, ExecutionId, TenantId};
use quantum_core::time::Timestamp;

use crate::Error;
use crate::access::Access;
use crate::database::{Columns, Query, Row, Rows, Sql};
use crate::platform::Platform;
use crate::scope::TenantScope;
use crate::store::Store;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    pub id: CommandId,
    pub execution: ExecutionId,
    /// For whom it is, as far as is known.
    pub node: String,
    /// JSON text; only the engine knows what it says.
    pub command: String,
    pub asked_at: Timestamp,
}

/// A command in the hands of the owner of its execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenCommand {
    pub tenant: TenantId,
    pub id: CommandId,
    pub execution: ExecutionId,
    pub command: String,
}

/// The commands of one tenant.
pub struct Commands<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

pub(crate) mod sql {
    crate::database::statements! {
        PUT = "INSERT INTO commands (tenant_id, id, execution_id, node, command, asked_at, taken, answer) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, FALSE, NULL)";
        /// By who has taken it last.
        ANSWER = "UPDATE commands SET answer = ?4 WHERE tenant_id = ?1 AND id = ?2 AND node = ?3 AND taken = TRUE \
                  AND answer IS NULL";
        READ = "SELECT tenant_id, answer FROM commands WHERE tenant_id = ?1 AND id = ?2";
        /// Not while somebody who is alive may be doing it.
        WITHDRAW = "DELETE FROM commands WHERE tenant_id = ?1 AND id = ?2 AND answer IS NULL AND (taken = FALSE \
                    OR NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = commands.node AND nodes.lease_until > ?3))";
        FORGET = "DELETE FROM commands WHERE tenant_id = ?1 AND id = ?2";
    }
}

const OPEN: &str = "SELECT count(*) FROM commands c WHERE NOT c.answered AND (c.taken = FALSE OR c.node <> ?1) \
     AND EXISTS (SELECT 1 FROM executions e WHERE e.tenant_id = c.tenant_id AND e.id = c.execution_id AND e.owner = ?1)";
macro_rules! take {
    ($lock:literal) => {
        concat!(
            "WITH asked AS MATERIALIZED ( \
             SELECT c.tenant_id, c.id FROM commands c WHERE NOT c.answered AND (c.taken = FALSE OR c.node <> ?1) \
             AND EXISTS (SELECT 1 FROM executions e WHERE e.tenant_id = c.tenant_id AND e.id = c.execution_id \
                 AND e.owner = ?1) ORDER BY c.id LIMIT ?2",
            $lock,
            ") UPDATE commands SET taken = TRUE, node = ?1 \
             WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM asked) RETURNING tenant_id, id"
        )
    };
}

const TAKE: Sql = Sql::each(take!(""), take!(" FOR UPDATE SKIP LOCKED"));
/// tenant, command
const READ_TAKEN: Rows = Rows {
    head: "SELECT c.tenant_id, c.id, c.execution_id, c.command FROM",
    columns: 2,
    tail: Sql::same("CROSS JOIN commands c ON c.tenant_id = v.column1 AND c.id = v.column2"),
};
const PURGE: &str = "DELETE FROM commands WHERE asked_at <= ?1";
const WITH_OLD: &str = "SELECT DISTINCT tenant_id FROM commands WHERE asked_at <= ?1";
const PURGE_OF_TENANT: &str = "DELETE FROM commands WHERE tenant_id = ?1 AND asked_at <= ?2";

impl Commands<'_> {
    async fn affected(&self, query: Query) -> Result<u64, Error> {
        let write =
            self.store.write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await?) }));
        write.await
    }

    /// After it returned, whoever owns the execution finds it.
    pub async fn put(&self, command: NewCommand) -> Result<(), Error> {
        let query = Query::new(sql::PUT).bind(self.scope.tenant().to_string()).bind(command.id.to_string());
        let query = query.bind(command.execution.to_string()).bind(command.node).bind(command.command);
        let query = query.bind(command.asked_at.as_millis());
        self.affected(query).await.map(drop)
    }

    /// False: `node` is not who has taken it last, or it was withdrawn.
    pub async fn answer(&self, id: CommandId, node: &str, answer: String) -> Result<bool, Error> {
        let query = Query::new(sql::ANSWER).bind(self.scope.tenant().to_string()).bind(id.to_string());
        Ok(self.affected(query.bind(node.to_owned()).bind(answer)).await? > 0)
    }

    /// None: it is not there. Some(None): there is no answer yet.
    pub async fn read(&self, id: CommandId) -> Result<Option<Option<String>>, Error> {
        let query = Query::new(sql::READ).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let Some(row) = query.fetch_optional(&mut self.store.read(self.scope).await?).await? else {
            return Ok(None);
        };
        let mut columns = Columns::scoped(&row, "commands", self.scope, &self.store.counters)?;
        columns.tenant()?;
        Ok(Some(columns.text_or_null()?.map(str::to_owned)))
    }

    /// True: nobody does it any more. It was not taken, or who took it has died, and may have done it before. False: it
    /// was answered, or somebody is about to.
    pub async fn withdraw(&self, id: CommandId, now: Timestamp) -> Result<bool, Error> {
        let query = Query::new(sql::WITHDRAW).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let write = self.store.write(self.scope, move |conn| {
            Box::pin(async move {
                let now = conn.now(now).await?;
                Ok(query.bind(now).execute(conn).await? > 0)
            })
        });
        write.await
    }

    /// Its answer was read.
    pub async fn forget(&self, id: CommandId) -> Result<(), Error> {
        let query = Query::new(sql::FORGET).bind(self.scope.tenant().to_string()).bind(id.to_string());
        self.affected(query).await.map(drop)
    }
}

impl Platform<'_> {
    /// What is asked of executions that `node` owns and that it has not taken yet, the oldest first, at most `limit`. They
    /// are its own from now on, until it answers or another node owns the execution. Nothing is written where there is
    /// nothing to take.
    pub async fn take_commands(&self, node: &str, limit: u32) -> Result<Vec<TakenCommand>, Error> {
        let found = self.ask(Query::new(OPEN).bind(node.to_owned())).await?;
        if found.first().map_or(Ok(0), |row| Columns::new(row, "commands").int())? == 0 {
            return Ok(Vec::new());
        }
        let query = Query::new(TAKE).bind(node.to_owned()).bind(i64::from(limit));
        let rows = self.write_rows(query).await?;
        let taken: Result<Vec<(TenantId, String)>, Error> = rows.iter().map(taken_key).collect();
        let taken = taken?;
        let tenants: BTreeSet<TenantId> = taken.iter().map(|(tenant, _)| tenant.clone()).collect();
        let tenants: Vec<TenantId> = tenants.into_iter().collect();
        if tenants.is_empty() {
            return Ok(Vec::new());
        }
        // Who takes it for the node does not read what it says, and who reads it sees these tenants only.
        let mut conn = self.store.read_as(Access::Tenants(&tenants)).await?;
        let rows = READ_TAKEN
            .read(&mut conn, &taken, |query, (tenant, id)| query.bind(tenant.to_string()).bind(id.clone()));
        let commands: Result<Vec<TakenCommand>, Error> = rows.await?.iter().map(decode).collect();
        let mut commands = commands?;
        commands.sort_by_key(|command| command.id);
        Ok(commands)
    }

    /// Removes those that were asked so many milliseconds ago or earlier: whoever asked has died. Gives how many there were.
    pub async fn purge_commands(&self, older_ms: u64, now: Timestamp) -> Result<u64, Error> {
        let asked = now.as_millis().saturating_sub_unsigned(older_ms);
        let of_tenant = |tenant: &TenantId| Query::new(PURGE_OF_TENANT).bind(tenant.to_string()).bind(asked);
        let found = Query::new(WITH_OLD).bind(asked);
        self.sweep(Query::new(PURGE).bind(asked), found, of_tenant).await
    }
}

fn taken_key(row: &Row) -> Result<(TenantId, String), Error> {
    let mut columns = Columns::new(row, "commands");
    Ok((columns.tenant()?, columns.owned()?))
}

fn decode(row: &Row) -> Result<TakenCommand, Error> {
    let mut columns = Columns::new(row, "commands");
    let (tenant, id) = (columns.tenant()?, columns.parsed()?);
    Ok(TakenCommand { tenant, id, execution: columns.parsed()?, command: columns.owned()? })
}
