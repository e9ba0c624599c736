//! Who may do what, with the shipped policies, as one table.

use quantum_core::vocabulary::{Environment, Group, Operation, Role};
use quantum_policy::{Resource, SecretFacts};

use crate::support::{authorizer, context, execution, intent, person, tenant, user};

/// An operation, and the first letters of the roles that may do it (`p` publisher, `P` platformAdmin).
const TABLE: &str = "
tenant.view         v a o p A
tenant.configure    A
usage.view          v a o p A
member.manage       A
intent.list         v a o p A
intent.view         v a o p A
intent.plan         v a o p A
intent.create       a A
intent.update       a A
intent.activate     a A
intent.pause        a A
intent.archive      a A
intent.execute      o A
intent.schedule     o A
schedule.list       v a o p A
execution.list      v a o p A
execution.view      v a o p A
execution.cancel    o A
execution.pause     o A
execution.resume    o A
execution.signal    o A
execution.approve   o A
execution.restart   o A
execution.replay    o A
execution.recording o A
plugin.list         v a o p A
plugin.install      A
plugin.uninstall    A
blueprint.view      v a o p A
blueprint.write     a A
artifact.view       v a o p A
artifact.write      a A
secret.list         v a o p A
secret.write        A
secret.delete       A
platform.tenants    P
";

fn letter(role: Role) -> &'static str {
    match role {
        Role::Viewer => "v",
        Role::Author => "a",
        Role::Operator => "o",
        Role::Publisher => "p",
        Role::Admin => "A",
        Role::Sre => "s",
        Role::PlatformAdmin => "P",
    }
}

#[test]
fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let (authorizer, own, requester) = (authorizer(), tenant("t1"), user("olga"));
    let mut table = String::from("\n");
    for operation in Operation::ALL.iter().filter(|operation| operation.group() != Group::Runtime) {
        let resource = match operation.as_str().split('.').next().unwrap() {
            "platform" => Resource::Platform,
            "intent" if !matches!(operation, Operation::IntentList | Operation::IntentCreate) => {
                Resource::Intent(intent(&own))
            }
            "secret" if *operation != Operation::SecretList => Resource::Secret(SecretFacts {
                tenant: &own,
                name: "API_TOKEN",
                environment: Environment::Production,
                expires_at: None,
            }),
            "execution" if *operation != Operation::ExecutionList => execution(&own, &requester),
            _ => Resource::Tenant(&own),
        };
        let may = |role: &&Role| {
            authorizer.decide(&person("kim", &[**role]), *operation, &resource, &context()).verdict.allowed
        };
        let roles: Vec<&str> = Role::ALL.iter().filter(may).map(|role| letter(*role)).collect();
        table.push_str(&format!("{:<20}{}\n", operation.as_str(), roles.join(" ")));
    }
    assert_eq!(table, TABLE);
}
