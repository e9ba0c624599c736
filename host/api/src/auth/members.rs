//! The caller's memberships, as they are now: disabling somebody bites at the next request.

use std::collections::BTreeSet;
use std::sync::Arc;

use quantum_catalog::{Catalog, Error as CatalogError, Membership};
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Role;

use super::claims::Claims;
use crate::codes;
use crate::problem::Problem;

pub(super) struct Members {
    catalog: Catalog,
}

impl Members {
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog }
    }

    /// The memberships of the token's subject, made first when its issuer provisions and there is none.
    pub async fn of(&self, claims: &Claims, now: Timestamp) -> Result<Arc<[Membership]>, Problem> {
        let known = self.read(&claims.subject).await?;
        let Some(tenant) = claims.tenant.as_ref().filter(|_| claims.provision) else { return Ok(known) };
        if known.iter().any(|membership| membership.tenant == *tenant) {
            return Ok(known);
        }
        self.provision(claims, tenant, now).await?;
        self.read(&claims.subject).await
    }

    async fn read(&self, principal: &PrincipalId) -> Result<Arc<[Membership]>, Problem> {
        Ok(self.catalog.tenants().memberships_of(principal).await?)
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

/// What a member is. INVARIANT: a membership gives no power over the host, whatever stands in its row.
pub(crate) fn assigned(membership: &Membership) -> BTreeSet<Role> {
    let roles = membership.roles.iter().filter_map(|role| Role::parse(role));
    roles.filter(|role| *role != Role::PlatformAdmin).collect()
}

/// A membership never makes a platform administrator.
fn assignable(claims: &Claims) -> impl Iterator<Item = Role> {
    claims.roles.iter().copied().filter(|role| *role != Role::PlatformAdmin)
}
