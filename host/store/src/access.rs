//! Who asks the database, which decides what PostgreSQL lets them see. SQLite has no roles: there the statements and the
//! check of every row are what keeps tenants apart.

use quantum_core::id::{PrincipalId, TenantId};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Access<'a> {
    /// The rows of one tenant.
    Tenant(&'a TenantId),
    /// Rows of these tenants, to be read at the start and in recovery, and by who operates the host.
    Tenants(&'a [TenantId]),
    /// What a batch of commits and log lines of these tenants needs.
    Journal(&'a [TenantId]),
    /// What one person is in every tenant.
    Principal(&'a PrincipalId),
    /// Across tenants, and only what carries no content.
    Platform,
}
