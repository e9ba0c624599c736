//! Usage that is not kept any longer, of all tenants.

use quantum_core::usage::Day;

use super::Platform;
use crate::Error;
use crate::access::Access;
use crate::database::Query;

/// Tenants that have some.
const WITH_OLD: &str = "SELECT DISTINCT tenant_id FROM usage_sums WHERE day < ?";
const OLD_OF_TENANT: &str = "DELETE FROM usage_sums WHERE tenant_id = ?1 AND (day, plugin, version, action, part) IN ( \
     SELECT day, plugin, version, action, part FROM usage_sums WHERE tenant_id = ?1 AND day < ?2 LIMIT ?3)";

impl Platform<'_> {
    /// Removes sums of days before `first`, a bounded part of them: call again until it gives 0. Gives how many rows
    /// there were. Where there are none nothing is written.
    pub async fn purge_usage(&self, first: Day, limit: u32) -> Result<u64, Error> {
        let mut removed = 0;
        for tenant in self.found(Query::new(WITH_OLD).bind(first.number())).await? {
            let query = Query::new(OLD_OF_TENANT).bind(tenant.to_string()).bind(first.number());
            removed += self.write(Access::Tenant(&tenant), query.bind(i64::from(limit))).await?;
        }
        Ok(removed)
    }
}
