//! Compares the two sides: for every table and tenant, how many rows there are and a hash over all their values, in the
//! order of keys. Each side is asked for what it has, the target's sums included.

use aws_lc_rs::digest::{Context, Digest, SHA256};
use futures::{Stream, TryStreamExt, try_join};
use quantum_core::id::TenantId;
use sqlx::AssertSqlSafe;

use super::error::TransferError;
use super::report::{Comparison, Transferred};
use super::run::{Route, TransferStep};
use super::schema::Table;
use super::target::Target;
use super::value::Value;
use super::words;
use crate::database::Row;

/// Rows of a table and a tenant.
pub(super) struct Sum {
    rows: u64,
    hash: Context,
}

impl Default for Sum {
    fn default() -> Self {
        Self { rows: 0, hash: Context::new(&SHA256) }
    }
}

impl Sum {
    pub fn add<'r>(&mut self, row: impl Iterator<Item = Value<'r>>) {
        self.rows += 1;
        row.for_each(|value| value.hash(&mut self.hash));
    }

    pub fn finish(self) -> (u64, Digest) {
        (self.rows, self.hash.finish())
    }
}

pub(super) async fn compare(route: &mut Route<'_>) -> Result<Transferred, TransferError> {
    let tables = std::mem::take(&mut route.tables);
    let names = tables.iter().map(|table| table.name.as_str()).chain([words::TABLE]);
    let mut comparison = Comparison::new(names);
    for table in tables.iter().filter(|table| !table.is_of_tenants()) {
        rows(route, &mut comparison, table, None).await?;
    }
    let (mut after, mut count) = (None, 0);
    loop {
        let tenants = route.source.tenants(after.as_ref()).await?;
        count += tenants.len() as u64;
        for tenant in &tenants {
            of_tenant(route, &mut comparison, &tables, tenant).await?;
        }
        let Some(last) = tenants.into_iter().next_back() else { break };
        after = Some(last);
    }
    Ok(comparison.finish(count, route.is_continued))
}

async fn of_tenant(
    route: &mut Route<'_>,
    comparison: &mut Comparison,
    tables: &[Table],
    tenant: &TenantId,
) -> Result<(), TransferError> {
    for table in tables.iter().filter(|table| table.is_of_tenants()) {
        rows(route, comparison, table, Some(tenant)).await?;
    }
    let source = words::sum_of_source(&mut route.source.conn, tenant);
    let (source, target) = try_join!(source, words::sum_of_target(&mut route.target, tenant))?;
    comparison.add(words::TABLE, Some(tenant), source, target);
    Ok(())
}

async fn rows(
    route: &mut Route<'_>,
    comparison: &mut Comparison,
    table: &Table,
    tenant: Option<&TenantId>,
) -> Result<(), TransferError> {
    let source = sum(table, route.source.rows(table, tenant, None));
    let (source, target) = try_join!(source, sum_of_target(&mut route.target, table, tenant))?;
    (route.each)(TransferStep::Compared(source.0));
    comparison.add(&table.name, tenant, source, target);
    Ok(())
}

async fn sum_of_target(
    target: &mut Target,
    table: &Table,
    tenant: Option<&TenantId>,
) -> Result<(u64, Digest), TransferError> {
    let mut transaction = target.begin(tenant).await?;
    let query = sqlx::query(AssertSqlSafe(table.select('$', false)));
    let query = tenant.into_iter().fold(query, |query, tenant| query.bind(tenant.to_string()));
    sum(table, query.fetch(&mut *transaction).map_ok(Row::Postgres)).await
}

async fn sum(
    table: &Table,
    mut rows: impl Stream<Item = Result<Row, sqlx::Error>> + Unpin,
) -> Result<(u64, Digest), TransferError> {
    let unreadable = |source| TransferError::Unreadable { table: table.name.clone(), source };
    let mut sum = Sum::default();
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        let values = table.kinds().enumerate().map(|(at, kind)| Value::read(&row, at, kind));
        let values: Vec<Value<'_>> = values.collect::<Result<_, _>>().map_err(unreadable)?;
        sum.add(values.into_iter());
    }
    Ok(sum.finish())
}
