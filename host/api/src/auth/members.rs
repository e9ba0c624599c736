//! The caller's memberships: from the store, a second old at most, so that disabling somebody bites.

use std::sync::Arc;

use quantum_catalog::{Catalog, Error as CatalogError, Membership};
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Role;

use super::cache::Cache;
use super::claims::Claims;
use crate::codes;
use crate::problem::Problem;

/// Milliseconds that a membership is believed without asking the store.
const FRESH_MS: u64 = 1_000;

pub(super) struct Members {
    catalog: Catalog,
    known: Cache<PrincipalId, Arc<[Membership]>>,
}

impl Members {
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, known: Cache::new() }
    }

    /// The memberships of the token's subject, made first when its issuer provisions and there is none.
    pub async fn of(&self, claims: &Claims, now: Timestamp) -> Result<Arc<[Membership]>, Problem> {
        let known = self.read(&claims.subject, now).await?;
        let Some(tenant) = claims.tenant.as_ref().filter(|_| claims.provision) else { return Ok(known) };
        if known.iter().any(|membership| membership.tenant == *tenant) {
            return Ok(known);
        }
        self.provision(claims, tenant, now).await?;
        self.forget(&claims.subject);
        self.read(&claims.subject, now).await
    }

    /// The next request asks the store.
    pub fn forget(&self, principal: &PrincipalId) {
        self.known.remove(principal);
    }

    async fn read(&self, principal: &PrincipalId, now: Timestamp) -> Result<Arc<[Membership]>, Problem> {
        if let Some(known) = self.known.get(principal, now) {
            return Ok(known);
        }
        let read: Arc<[Membership]> = self.catalog.tenants().memberships_of(principal).await?.into();
        self.known.put(principal.clone(), read.clone(), now.plus_millis(FRESH_MS), now);
        Ok(read)
    }

    async fn provision(&self, claims: &Claims, tenant: &TenantId, now: Timestamp) -> Result<(), Problem> {
        let membership = Membership {
            tenant: tenant.clone(),
            principal: claims.subject.clone(),
            kind: claims.kind,
            roles: assignable(claims).map(|role| role.as_str().to_owned()).collect(),
            active: true,
        };
        match self.catalog.tenants().upsert_member(membership, now).await {
            Ok(()) => {
                tracing::info!(tenant = %tenant, principal = %claims.subject, "made a member, as a token of a provisioning issuer says");
                Ok(())
            }
            Err(CatalogError::NotFound { .. }) => {
                Err(Problem::new(&codes::PRINCIPAL_UNKNOWN).detail("the token's tenant does not exist"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A membership never makes a platform administrator.
fn assignable(claims: &Claims) -> impl Iterator<Item = Role> {
    claims.roles.iter().copied().filter(|role| *role != Role::PlatformAdmin)
}
