//! Moves rows: what belongs to no tenant first, then one tenant after the other, each in the order of references.

use futures::TryStreamExt;
use quantum_core::id::TenantId;

use super::error::TransferError;
use super::page::Page;
use super::run::{Route, TransferStep};
use super::schema::Table;
use super::target::Target;
use super::words;

pub(super) async fn copy(route: &mut Route<'_>) -> Result<(), TransferError> {
    let tables = std::mem::take(&mut route.tables);
    for table in tables.iter().filter(|table| !table.is_of_tenants()) {
        rows(route, table, None).await?;
    }
    let mut after = None;
    loop {
        let tenants = route.source.tenants(after.as_ref()).await?;
        for tenant in &tenants {
            of_tenant(route, &tables, tenant).await?;
        }
        let Some(last) = tenants.into_iter().next_back() else { break };
        after = Some(last);
    }
    route.tables = tables;
    Ok(())
}

async fn of_tenant(route: &mut Route<'_>, tables: &[Table], tenant: &TenantId) -> Result<(), TransferError> {
    for table in tables.iter().filter(|table| table.is_of_tenants()) {
        rows(route, table, Some(tenant)).await?;
    }
    words::copy(route, tenant).await
}

/// Those behind the last one that is there: rows come in the order of their keys, so that none before it is missing.
async fn rows(route: &mut Route<'_>, table: &Table, tenant: Option<&TenantId>) -> Result<(), TransferError> {
    let Route { source, target, page_rows, each, .. } = route;
    let after = if route.is_continued { target.last_key(table, tenant).await? } else { None };
    if after.as_ref().is_some_and(Vec::is_empty) {
        // A tenant has one such row.
        return Ok(());
    }
    let unreadable = |source| TransferError::Unreadable { table: table.name.clone(), source };
    let mut rows = source.rows(table, tenant, after);
    let mut page = Page::new(table.kinds(), *page_rows);
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        page.push(table, &row).map_err(unreadable)?;
        if page.is_full() {
            write(target, table, tenant, &page).await?;
            each(TransferStep::Moved(page.rows() as u64));
            page = Page::new(table.kinds(), *page_rows);
        }
    }
    write(target, table, tenant, &page).await?;
    each(TransferStep::Moved(page.rows() as u64));
    Ok(())
}

async fn write(
    target: &mut Target,
    table: &Table,
    tenant: Option<&TenantId>,
    page: &Page,
) -> Result<(), TransferError> {
    if page.rows() == 0 {
        return Ok(());
    }
    target.write(table, tenant, page).await
}
