//! The proof that a tenant was established before its rows are touched.
//!
//! INVARIANT: only authentication, the engine's loops, the effects of running attempts, the operator's own commands and
//! tests make a scope (`cargo xtask tidy` checks who calls which constructor).

use quantum_core::id::TenantId;

/// Grants access to the rows of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
}

impl TenantScope {
    /// The caller's credential was verified and its membership looked up.
    pub const fn authenticated(tenant: TenantId) -> Self {
        Self { tenant }
    }

    /// The engine works on an execution of this tenant.
    pub const fn engine(tenant: TenantId) -> Self {
        Self { tenant }
    }

    /// A running attempt stores or reads something. The tenant is its execution's, as the sandbox was told by the
    /// engine, and never what the component says.
    pub const fn effect(tenant: TenantId) -> Self {
        Self { tenant }
    }

    /// The operator of the machine works on the data directory.
    pub const fn operator(tenant: TenantId) -> Self {
        Self { tenant }
    }

    #[doc(hidden)]
    pub const fn for_tests(tenant: TenantId) -> Self {
        Self { tenant }
    }

    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}
