//! How a transaction begins: its role and its tenants, in the same message as BEGIN. The only place where text is put
//! into a statement.

use std::time::Duration;

use quantum_core::id::TenantId;

use crate::access::Access;

/// Holds other changes of the same tenant back until the end of the transaction, on every node: what a change reads
/// before it writes still holds when it writes. Two tenants whose names hash alike wait for each other and no more.
const ALONE: &str = "pg_advisory_xact_lock(hashtextextended";
/// What the lock is about; others of the database use other numbers.
const CHANGES: i64 = 0x7175_616e;
const PLACES: i64 = 0x7175_616f;

/// A transaction that reads, or writes a batch.
pub(super) fn reading(access: Access<'_>, patience: Duration) -> String {
    format!("BEGIN; {}; {}", bounds(patience), scope(access))
}

/// A transaction whose statements may read or write a whole table, of somebody for whose locks nobody waits.
pub(crate) fn unbounded(access: Access<'_>) -> String {
    format!("BEGIN; {}", scope(access))
}

/// A transaction that changes rows of its tenant, alone.
pub(super) fn changing(access: Access<'_>, patience: Duration) -> String {
    match access {
        Access::Tenant(tenant) => alone(tenant, CHANGES, patience),
        // Across tenants each statement stands for itself, and nobody waits for a node that hangs.
        _ => reading(access, patience),
    }
}

/// A transaction that decides about places of a tenant: no other one does meanwhile.
pub(super) fn deciding(tenant: &TenantId, patience: Duration) -> String {
    alone(tenant, PLACES, patience)
}

fn alone(tenant: &TenantId, about: i64, patience: Duration) -> String {
    let begin = reading(Access::Tenant(tenant), patience);
    format!("{begin}; SELECT {ALONE}({}, {about}))", quoted(tenant.as_str()))
}

/// What the server ends by itself: a statement, also one that waits for a lock, and the transaction of a host that says
/// nothing any more, since others wait for its locks.
fn bounds(patience: Duration) -> String {
    let (statement, idle) = (patience.as_millis().max(1), (patience * 2).as_millis().max(1));
    format!(
        "SET LOCAL statement_timeout = {statement}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
    )
}

fn scope(access: Access<'_>) -> String {
    match access {
        Access::Tenant(tenant) => {
            let tenant = quoted(tenant.as_str());
            format!("SET LOCAL ROLE app_user; SET LOCAL app.current_tenant_id = {tenant}")
        }
        Access::Tenants(tenants) => format!("SET LOCAL ROLE app_reader; {}", batch(tenants)),
        Access::Journal(tenants) => format!("SET LOCAL ROLE app_journal; {}", batch(tenants)),
        Access::Principal(principal) => {
            let principal = quoted(principal.as_str());
            format!("SET LOCAL ROLE app_platform; SET LOCAL app.current_principal_id = {principal}")
        }
        Access::Platform => "SET LOCAL ROLE app_platform".to_owned(),
    }
}

fn batch(tenants: &[TenantId]) -> String {
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    format!("SET LOCAL app.current_tenant_ids = {}", quoted(&names.join(",")))
}

/// As a literal, whatever the text is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_begins_with_its_role_and_its_tenants() {
        let tenants = ["t-1", "t-2"].map(|name| TenantId::new(name).unwrap());
        let patience = Duration::from_secs(2);
        assert_eq!(
            reading(Access::Tenant(&tenants[0]), patience),
            "BEGIN; SET LOCAL statement_timeout = 2000; SET LOCAL idle_in_transaction_session_timeout = 4000; \
             SET LOCAL ROLE app_user; SET LOCAL app.current_tenant_id = 't-1'"
        );
        let batch = reading(Access::Journal(&tenants), patience);
        let scope = "; SET LOCAL ROLE app_journal; SET LOCAL app.current_tenant_ids = 't-1,t-2'";
        assert!(batch.ends_with(scope), "{batch}");
        let change = changing(Access::Tenant(&tenants[0]), patience);
        assert!(change.contains("; SELECT pg_advisory_xact_lock(hashtextextended('t-1', "), "{change}");
        assert_eq!(quoted("a'b"), "'a''b'");
    }
}
