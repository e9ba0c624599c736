//! What belongs to no tenant: tenants, people, memberships, and the lists that a start needs.

mod members;
mod recovery;
mod schedules;
mod sweep;
mod tenants;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;

use crate::store::Store;
pub(crate) use members::{kind_word, parse_kind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    /// For people.
    pub name: String,
    pub created_at: Timestamp,
}

/// What a person or a service account is in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub tenant: TenantId,
    pub principal: PrincipalId,
    pub kind: PrincipalKind,
    /// Names of roles, in the order given.
    pub roles: Vec<String>,
    /// An inactive membership gives no access.
    pub active: bool,
}

/// Functions across tenants: for authentication, start-up, recovery and operators.
pub struct Platform<'a> {
    pub(crate) store: &'a Store,
}

pub(crate) mod sql {
    /// Statements of the platform that still belong to one tenant.
    pub(crate) const TENANT: &[&str] =
        &[super::members::MEMBERSHIP, super::members::UPSERT, super::members::SERVICE_ACCOUNT];
}
