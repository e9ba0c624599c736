//! Tenants, and who is a member of them. A service account is a member of kind `service_account`.

use std::sync::Arc;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::usage::Day;
use quantum_core::vocabulary::Role;
use quantum_store::{Error as StoreError, Membership, Tenant, UsageRow};

use crate::{Catalog, Error};

/// Across tenants: for authentication and administrators of the host.
pub struct Tenants<'a> {
    pub(crate) catalog: &'a Catalog,
}

impl Tenants<'_> {
    /// Err: `TenantExists`.
    pub async fn create(&self, tenant: Tenant) -> Result<(), Error> {
        let id = tenant.id.clone();
        self.catalog.store.platform().create_tenant(tenant).await.map_err(|error| match error {
            StoreError::AlreadyExists { .. } => Error::TenantExists { id },
            other => other.into(),
        })
    }

    /// Err: `NotFound`.
    pub async fn get(&self, id: &TenantId) -> Result<Tenant, Error> {
        self.catalog.store.platform().tenant(id).await?.ok_or_else(|| Error::not_found("tenant", id))
    }

    /// By id.
    pub async fn list(&self) -> Result<Vec<Tenant>, Error> {
        Ok(self.catalog.store.platform().tenants().await?)
    }

    /// What each of them used between two days, by id; of one plugin or of all. Who used nothing is left out.
    pub async fn usage(&self, from: Day, to: Day, plugin: Option<&str>) -> Result<Vec<UsageRow>, Error> {
        Ok(self.catalog.store.platform().usage(from, to, plugin).await?)
    }

    /// Writes what a person or a service account is in a tenant. Err: `UnknownRole`, `NotFound` (no such tenant).
    pub async fn upsert_member(&self, member: Membership, at: Timestamp) -> Result<(), Error> {
        if let Some(role) = member.roles.iter().find(|role| Role::parse(role).is_none()) {
            return Err(Error::UnknownRole { role: role.clone() });
        }
        Ok(self.catalog.store.platform().upsert_membership(member, at).await?)
    }

    /// None: not a member, or no such tenant. An inactive membership is given, and gives no access.
    pub async fn membership(
        &self,
        tenant: &TenantId,
        principal: &PrincipalId,
    ) -> Result<Option<Membership>, Error> {
        Ok(self.catalog.store.platform().membership(tenant, principal).await?)
    }

    /// By principal, inactive ones too.
    pub async fn members(&self, tenant: &TenantId) -> Result<Vec<Membership>, Error> {
        Ok(self.catalog.store.platform().members(tenant).await?)
    }

    /// By tenant, inactive ones too.
    pub async fn memberships_of(&self, principal: &PrincipalId) -> Result<Arc<[Membership]>, Error> {
        let Catalog { store, memberships, .. } = self.catalog;
        let change = store.change_number();
        if let Some(kept) = memberships.find(change, principal) {
            return Ok(kept);
        }
        let read: Arc<[Membership]> = store.platform().memberships_of(principal).await?.into();
        memberships.keep(change, principal.clone(), read.clone());
        Ok(read)
    }
}
