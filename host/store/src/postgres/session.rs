//! How a transaction begins: its role and its tenants, in the same message as BEGIN. The only place where text is put
//! into a statement.

use quantum_core::id::TenantId;

use crate::access::Access;

/// Holds other changes of the same tenant back until the end of the transaction, on every node: what a change reads
/// before it writes still holds when it writes. Two tenants whose names hash alike wait for each other and no more.
const ALONE: &str = "pg_advisory_xact_lock(hashtextextended";
/// What the lock is about; others of the database use other numbers.
const CHANGES: i64 = 0x7175_616e;
const PLACES: i64 = 0x7175_616f;

/// A transaction that reads.
pub(super) fn reading(access: Access<'_>) -> String {
    format!("BEGIN; {}", scope(access))
}

/// A transaction that changes rows of its tenant, alone.
pub(crate) fn changing(access: Access<'_>) -> String {
    match access {
        Access::Tenant(tenant) => {
            format!("BEGIN; {}; SELECT {ALONE}({}, {CHANGES}))", scope(access), quoted(tenant.as_str()))
        }
        // Across tenants each statement stands for itself, and nobody waits for a node that hangs.
        _ => reading(access),
    }
}

/// A transaction that decides about places of a tenant: no other one does meanwhile.
pub(super) fn deciding(tenant: &TenantId) -> String {
    let access = scope(Access::Tenant(tenant));
    format!("BEGIN; {access}; SELECT {ALONE}({}, {PLACES}))", quoted(tenant.as_str()))
}

fn scope(access: Access<'_>) -> String {
    match access {
        Access::Tenant(tenant) => {
            let tenant = quoted(tenant.as_str());
            format!("SET LOCAL ROLE app_user; SET LOCAL app.current_tenant_id = {tenant}")
        }
        Access::Tenants(tenants) => format!("SET LOCAL ROLE app_reader; {}", batch(tenants)),
        // A batch of which a row is refused is done anew from the savepoint on.
        Access::Journal(tenants) => {
            format!("SET LOCAL ROLE app_journal; {}; SAVEPOINT batch", batch(tenants))
        }
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
        assert_eq!(
            reading(Access::Tenant(&tenants[0])),
            "BEGIN; SET LOCAL ROLE app_user; SET LOCAL app.current_tenant_id = 't-1'"
        );
        assert_eq!(
            reading(Access::Journal(&tenants)),
            "BEGIN; SET LOCAL ROLE app_journal; SET LOCAL app.current_tenant_ids = 't-1,t-2'; SAVEPOINT batch"
        );
        assert!(
            changing(Access::Tenant(&tenants[0])).contains("pg_advisory_xact_lock(hashtextextended('t-1', ")
        );
        assert_eq!(quoted("a'b"), "'a''b'");
    }
}
