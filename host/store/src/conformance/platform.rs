//! Tenants and memberships.

use quantum_core::port::PrincipalKind;

use super::fixtures::{AT, principal, scope, with_tenants};
use super::{Check, Open};
use crate::{Error, Membership, Tenant};

/// A tenant's id is given once.
pub async fn a_tenant_is_created_once(open: &Open) -> Check {
    let store = with_tenants(open, &["t-2", "t-1"]).await?;
    let id = scope("t-1").tenant().clone();
    let again = Tenant { id: id.clone(), name: "again".into(), created_at: AT };
    let refused = store.platform().create_tenant(again).await;
    assert!(matches!(refused, Err(Error::AlreadyExists { kind: "tenant", .. })), "{refused:?}");
    let tenants = store.platform().tenants().await?;
    assert_eq!(tenants.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["T-1", "T-2"]);
    assert_eq!(store.platform().tenant(&id).await?.as_ref(), tenants.first());
    assert_eq!(store.platform().tenant(scope("t-3").tenant()).await?, None);
    Ok(())
}

/// One person in several tenants, with other roles in each; a membership can be changed and switched off.
pub async fn a_person_has_one_membership_a_tenant(open: &Open) -> Check {
    let store = with_tenants(open, &["t-1", "t-2"]).await?;
    let platform = store.platform();
    let first = membership("t-1", "alice", PrincipalKind::User);
    let second = Membership { roles: vec![], ..membership("t-2", "alice", PrincipalKind::User) };
    let robot = membership("t-1", "robot", PrincipalKind::ServiceAccount);
    for membership in [&first, &second, &robot] {
        platform.upsert_membership(membership.clone(), AT).await?;
    }
    assert_eq!(platform.memberships_of(&principal("alice")).await?, [first.clone(), second]);
    assert_eq!(platform.membership(&first.tenant, &principal("robot")).await?, Some(robot));
    let off = Membership { active: false, roles: vec!["viewer".into()], ..first.clone() };
    platform.upsert_membership(off.clone(), AT).await?;
    assert_eq!(platform.membership(&first.tenant, &principal("alice")).await?, Some(off));
    let stranger = platform.upsert_membership(membership("t-9", "alice", PrincipalKind::User), AT).await;
    assert!(matches!(stranger, Err(Error::NotFound { kind: "tenant", .. })), "{stranger:?}");
    Ok(())
}

fn membership(tenant: &str, id: &str, kind: PrincipalKind) -> Membership {
    let roles = vec!["author".into(), "operator".into()];
    Membership { tenant: scope(tenant).tenant().clone(), principal: principal(id), kind, roles, active: true }
}
