//! Taking over one execution. Its epoch grows, so that whoever had it before cannot write any more.

use quantum_core::id::ExecutionId;
use quantum_core::time::Timestamp;

use super::Executions;
use crate::Error;
use crate::database::Query;
use crate::nodes::Reader;

pub(crate) mod sql {
    crate::database::statements! {
        CLAIM = "UPDATE executions SET owner = ?3, epoch = epoch + 1 WHERE tenant_id = ?1 AND id = ?2 \
                 AND ended_at IS NULL AND NOT EXISTS \
                 (SELECT 1 FROM nodes WHERE nodes.id = executions.owner AND nodes.lease_until > ?4)";
        LEAVE = "UPDATE executions SET owner = ?4, epoch = epoch + 1 WHERE tenant_id = ?1 AND id = ?2 \
                 AND owner = ?3 AND ended_at IS NULL";
        ADOPT = "UPDATE executions SET owner = ?3, epoch = epoch + 1 WHERE tenant_id = ?1 AND id = ?2 \
                 AND ended_at IS NOT NULL AND purged_at IS NULL";
    }
}

impl Executions<'_> {
    /// Makes `owner` the owner of an open execution whose owner's lease is over. False: it has ended, or its owner has a
    /// lease.
    pub async fn claim(&self, id: &ExecutionId, owner: &str, now: Timestamp) -> Result<bool, Error> {
        let query = Query::new(sql::CLAIM).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let query = query.bind(owner.to_owned());
        let write = self.store.write(self.scope, move |conn| {
            Box::pin(async move {
                let now = conn.now(now).await?;
                Ok(query.bind(now).execute(conn).await? > 0)
            })
        });
        write.await
    }

    /// Leaves an open execution of `owner` to programs that read more than this one, and does not write it any more. False:
    /// somebody else has it by now, or it has ended.
    pub async fn leave(&self, id: &ExecutionId, owner: &str) -> Result<bool, Error> {
        let query = Query::new(sql::LEAVE).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let query = query.bind(owner.to_owned()).bind(Reader::this().mark());
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }

    /// Makes `owner` the owner of an execution that has ended and is to be restarted. False: it has not ended, or is not
    /// there.
    pub async fn adopt(&self, id: &ExecutionId, owner: &str) -> Result<bool, Error> {
        let query = Query::new(sql::ADOPT).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let query = query.bind(owner.to_owned());
        let write = self
            .store
            .write(self.scope, move |conn| Box::pin(async move { Ok(query.execute(conn).await? > 0) }));
        write.await
    }
}
