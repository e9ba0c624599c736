//! Usage of all tenants: what each of them used, and what is not kept any longer.

use quantum_core::usage::Day;

use super::Platform;
use crate::Error;
use crate::access::Access;
use crate::database::Query;
use crate::usage::{OF_TENANTS, UsageRow, of_tenant};

/// Tenants that have some.
const WITH_OLD: &str = "SELECT DISTINCT tenant_id FROM usage_sums WHERE day < ?";
const OLD_OF_TENANT: &str = "DELETE FROM usage_sums WHERE tenant_id = ?1 AND (day, plugin, version, action, part) IN ( \
     SELECT day, plugin, version, action, part FROM usage_sums WHERE tenant_id = ?1 AND day < ?2 LIMIT ?3)";

impl Platform<'_> {
    /// Between two days, by tenant; of one plugin or of all. Who used nothing is left out.
    pub async fn usage(&self, from: Day, to: Day, plugin: Option<&str>) -> Result<Vec<UsageRow>, Error> {
        let query = Query::new(OF_TENANTS).bind(from.number()).bind(to.number());
        let rows = self.all(&query.bind(plugin.map(str::to_owned))).await?;
        rows.iter().map(of_tenant).collect()
    }

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
