//! What the attempts of a tenant used, by day and action. Booked by the commit that records the end of an attempt, in its
//! transaction: whoever adds up the bills of the events gets the same sums, whatever a process or a machine died on.

mod book;
mod read;

use quantum_core::id::TenantId;
use quantum_core::usage::{Day, Sums};

use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use book::{add, shapes};
pub(crate) use read::{OF_TENANTS, of_tenant, sql};

/// Which usage, and how it is added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFilter {
    pub from: Day,
    /// This day is part of it.
    pub to: Day,
    /// `namespace:name`.
    pub plugin: Option<String>,
    pub by: UsageGroup,
}

/// What each row of a list is the sum of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageGroup {
    /// Newest first.
    Day,
    /// By name.
    Plugin,
    /// By plugin, version and action.
    Action,
}

/// Sums of a tenant. What it is not grouped by is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    pub tenant: TenantId,
    pub day: Option<Day>,
    pub plugin: Option<String>,
    pub version: Option<String>,
    pub action: Option<String>,
    pub sums: Sums,
}

/// The usage of one tenant.
pub struct UsageOf<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}
