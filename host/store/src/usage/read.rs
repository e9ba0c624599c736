//! Reads sums. On PostgreSQL a sum has several parts, which are added up here.

use quantum_core::usage::{Day, Sums};

use super::{UsageFilter, UsageGroup, UsageOf, UsageRow};
use crate::Error;
use crate::database::{Columns, Query, Row};
use crate::page::{Page, PageRequest};

/// Between the parts of a cursor; none of them can contain it.
const BETWEEN: char = '\n';

/// The columns that `decode_sums` reads.
macro_rules! sums {
    () => {
        "CAST(sum(attempts) AS BIGINT), CAST(sum(failures) AS BIGINT), CAST(sum(cpu_us) AS BIGINT), \
         CAST(sum(wall_us) AS BIGINT), max(memory_bytes_peak), CAST(sum(memory_byte_seconds) AS BIGINT), \
         CAST(sum(host_calls) AS BIGINT), CAST(sum(sent_bytes) AS BIGINT), CAST(sum(received_bytes) AS BIGINT) \
         FROM usage_sums "
    };
}

macro_rules! within {
    () => {
        "WHERE tenant_id = ?1 AND day >= ?2 AND day <= ?3 AND (?4 IS NULL OR plugin = ?4) "
    };
}

pub(crate) mod sql {
    crate::database::statements! {
        DAYS = concat!(
            "SELECT tenant_id, day, ", sums!(), within!(), "AND day < ?5 GROUP BY tenant_id, day ORDER BY day DESC LIMIT ?6"
        );
        PLUGINS = concat!(
            "SELECT tenant_id, plugin, ", sums!(), within!(),
            "AND plugin > ?5 GROUP BY tenant_id, plugin ORDER BY plugin LIMIT ?6"
        );
        ACTIONS = concat!(
            "SELECT tenant_id, plugin, version, action, ", sums!(), within!(),
            "AND (plugin, version, action) > (?5, ?6, ?7) GROUP BY tenant_id, plugin, version, action \
             ORDER BY plugin, version, action LIMIT ?8"
        );
        OF_DAY = concat!("SELECT tenant_id, ", sums!(), "WHERE tenant_id = ?1 AND day = ?2 GROUP BY tenant_id");
    }
}

/// Over all tenants, as far as who asks sees them.
pub(crate) const OF_TENANTS: &str = concat!(
    "SELECT tenant_id, ",
    sums!(),
    "WHERE day >= ?1 AND day <= ?2 AND (?3 IS NULL OR plugin = ?3) GROUP BY tenant_id ORDER BY tenant_id"
);

impl UsageOf<'_> {
    pub async fn list(&self, filter: &UsageFilter, page: PageRequest) -> Result<Page<UsageRow>, Error> {
        let query = Query::new(match filter.by {
            UsageGroup::Day => sql::DAYS,
            UsageGroup::Plugin => sql::PLUGINS,
            UsageGroup::Action => sql::ACTIONS,
        });
        let query = query
            .bind(self.scope.tenant().to_string())
            .bind(filter.from.number())
            .bind(filter.to.number())
            .bind(filter.plugin.clone());
        let query = after(query, filter.by, page.after.as_deref()).bind(page.rows() as i64 + 1);
        let rows = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        let rows: Result<Vec<_>, _> = rows.iter().map(|row| self.decode(row, filter.by)).collect();
        Ok(Page::cut(rows?, page.rows(), cursor))
    }

    /// Of all actions together.
    pub async fn of_day(&self, day: Day) -> Result<Sums, Error> {
        let query = Query::new(sql::OF_DAY).bind(self.scope.tenant().to_string()).bind(day.number());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        let Some(row) = row else { return Ok(Sums::default()) };
        let mut columns = self.columns(&row)?;
        columns.text()?;
        decode_sums(&mut columns)
    }

    fn columns<'r>(&self, row: &'r Row) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, "usage_sums", self.scope, &self.store.counters)
    }

    fn decode(&self, row: &Row, by: UsageGroup) -> Result<UsageRow, Error> {
        let mut columns = self.columns(row)?;
        let tenant = columns.tenant()?;
        let (mut day, mut plugin, mut version, mut action) = (None, None, None, None);
        match by {
            UsageGroup::Day => day = Some(Day::from_number(columns.int()?)),
            UsageGroup::Plugin => plugin = Some(columns.owned()?),
            UsageGroup::Action => {
                plugin = Some(columns.owned()?);
                version = Some(columns.owned()?);
                action = Some(columns.owned()?);
            }
        }
        Ok(UsageRow { tenant, day, plugin, version, action, sums: decode_sums(&mut columns)? })
    }
}

/// The row behind which the page begins.
fn after(query: Query, by: UsageGroup, cursor: Option<&str>) -> Query {
    let mut parts = cursor.unwrap_or_default().splitn(3, BETWEEN);
    let mut next = || parts.next().unwrap_or_default().to_owned();
    match by {
        UsageGroup::Day => query.bind(next().parse().unwrap_or(i64::MAX)),
        UsageGroup::Plugin => query.bind(next()),
        UsageGroup::Action => query.bind(next()).bind(next()).bind(next()),
    }
}

fn cursor(row: &UsageRow) -> String {
    let UsageRow { day, plugin, version, action, .. } = row;
    match day {
        Some(day) => day.number().to_string(),
        None => {
            let parts = [plugin, version, action].map(|part| part.as_deref().unwrap_or_default());
            parts.join(&BETWEEN.to_string())
        }
    }
}

/// A row of `OF_TENANTS`.
pub(crate) fn of_tenant(row: &Row) -> Result<UsageRow, Error> {
    let mut columns = Columns::new(row, "usage_sums");
    let tenant = columns.tenant()?;
    let sums = decode_sums(&mut columns)?;
    Ok(UsageRow { tenant, day: None, plugin: None, version: None, action: None, sums })
}

fn decode_sums(columns: &mut Columns<'_>) -> Result<Sums, Error> {
    Ok(Sums {
        attempts: columns.number()?,
        failures: columns.number()?,
        cpu_us: columns.number()?,
        wall_us: columns.number()?,
        memory_bytes_peak: columns.number()?,
        memory_byte_seconds: columns.number()?,
        host_calls: columns.number()?,
        sent_bytes: columns.number()?,
        received_bytes: columns.number()?,
    })
}
