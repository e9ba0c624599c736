//! Tenants and their members.

use quantum_catalog::{Membership, Tenant};
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;

use crate::support::{at, refused, world};

fn member(tenant: &str, principal: &str, kind: PrincipalKind, role: &str) -> Membership {
    Membership {
        tenant: TenantId::new(tenant).unwrap(),
        principal: PrincipalId::new(principal).unwrap(),
        kind,
        roles: vec![role.to_owned()],
        active: true,
    }
}

#[tokio::test]
async fn a_tenant_is_made_once() {
    let world = world().await;
    let tenants = world.catalog.tenants();
    let ids: Vec<_> = tenants.list().await.unwrap().into_iter().map(|tenant| tenant.id.to_string()).collect();
    assert_eq!(ids, ["tenant-a", "tenant-b"]);
    let tenant = Tenant { id: TenantId::new("tenant-a").unwrap(), name: "Again".into(), created_at: at(9) };
    let (code, text) = refused(tenants.create(tenant).await);
    assert_eq!(
        (code, text.as_str()),
        ("tenant-exists", "the tenant \"tenant-a\" exists already; use it, or choose another id")
    );
    assert_eq!(tenants.get(world.scope.tenant()).await.unwrap().name, "tenant-a");
    assert_eq!(refused(tenants.get(&TenantId::new("nobody").unwrap()).await).0, "not-found");
}

#[tokio::test]
async fn a_member_has_roles_that_exist_in_a_tenant_that_exists() {
    let world = world().await;
    let tenants = world.catalog.tenants();
    let ann = member("tenant-a", "ann", PrincipalKind::User, "operator");
    let robot = member("tenant-a", "robot", PrincipalKind::ServiceAccount, "viewer");
    for member in [&ann, &robot, &member("tenant-b", "ann", PrincipalKind::User, "viewer")] {
        tenants.upsert_member(member.clone(), at(1)).await.unwrap();
    }
    assert_eq!(tenants.membership(&ann.tenant, &ann.principal).await.unwrap(), Some(ann.clone()));
    assert_eq!(tenants.membership(&robot.tenant, &robot.principal).await.unwrap(), Some(robot.clone()));
    assert_eq!(tenants.membership(world.other.tenant(), &robot.principal).await.unwrap(), None);
    assert_eq!(tenants.memberships_of(&ann.principal).await.unwrap().len(), 2);

    let inactive = Membership { active: false, roles: vec!["admin".into()], ..ann.clone() };
    tenants.upsert_member(inactive.clone(), at(2)).await.unwrap();
    assert_eq!(tenants.membership(&ann.tenant, &ann.principal).await.unwrap(), Some(inactive));

    let misspelt = member("tenant-a", "bob", PrincipalKind::User, "operater");
    let (code, text) = refused(tenants.upsert_member(misspelt, at(1)).await);
    assert_eq!(
        (code, text.as_str()),
        ("unknown-role", "\"operater\" is not a role; did you mean \"operator\"?")
    );
    let stranger = member("nobody", "bob", PrincipalKind::User, "viewer");
    assert_eq!(refused(tenants.upsert_member(stranger, at(1)).await).0, "not-found");
}
