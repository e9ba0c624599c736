//! A slice decides as the full set does: same forbids, same permits, same errors.

use std::sync::LazyLock;

use proptest::prelude::*;
use quantum_core::vocabulary::Operation;

use super::facts::world;
use crate::compile::PolicySet;
use crate::source::PolicySources;

/// Scopes and conditions of every kind that a slice could get wrong.
const MORE: &str = r#"
@id("x.ann") permit (principal == User::"ann", action, resource);
@id("x.ann-account") permit (principal == ServiceAccount::"ann", action in Action::"read", resource);
@id("x.ann-stop") forbid (principal == User::"ann", action in Action::"operate", resource)
when { context.frozen };
@id("x.odd") permit (principal == User::"c::d", action == Action::"intent.view", resource is Intent);
@id("x.accounts") forbid (principal is ServiceAccount, action in Action::"start", resource)
unless { principal.environments.contains(resource.environment) };
@id("x.nil") forbid (principal, action, resource == Intent::"00000000-0000-0000-0000-000000000000")
when { resource.hasTag("class") && resource.getTag("class") == "confidential" };
@id("x.in-tenant") permit (principal, action == Action::"intent.view", resource in Tenant::"t1");
@id("x.in-intent") permit (principal, action, resource in Intent::"00000000-0000-0000-0000-000000000000");
@id("x.by-condition") permit (principal, action, resource)
when { principal is User && action == Action::"intent.plan" && resource is Intent && context.auth.mfa };
@id("x.sre") permit (principal in Role::"sre", action in [Action::"operate", Action::"read"], resource)
when { context has ip && context.ip.isLoopback() };
@id("x.step") forbid (principal is Step in Execution::"00000000-0000-0000-0000-000000000000", action, resource)
when { principal.dryRun && context.attempt > 1 };
@id("x.overflow") permit (principal, action in Action::"operate", resource)
when { context.auth.ageSeconds + context.auth.ageSeconds > 0 };
@id("x.overflow-step") permit (principal, action == Action::"http.request", resource)
when { context.attempt + 9223372036854775807 > 0 };
@id("x.weekday") forbid (principal, action, resource)
when { context has weekday && context.weekday == Weekday::"wed" };
"#;

static SET: LazyLock<PolicySet> =
    LazyLock::new(|| PolicySet::compile(&PolicySources::shipped().with("more.cedar", MORE)).unwrap());

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_decides_as_the_full_set_does(world in world()) {
        for operation in Operation::ALL {
            let slice = SET.slice(*operation).unwrap();
            let (request, entities) = world.question(*operation).put(slice, None).unwrap();
            let sliced = SET.evaluate(slice, &request, &entities);
            let full = SET.evaluate_all([SET.policies()].into_iter(), &request, &entities);
            prop_assert_eq!(sliced, full, "{}", operation);
        }
    }
}

#[test]
fn a_slice_leaves_out_what_cannot_apply() {
    let size = |operation| SET.slice(operation).unwrap().size();
    assert!(size(Operation::StepStart) < 12, "{}", size(Operation::StepStart));
    assert!(size(Operation::TenantView) < size(Operation::IntentExecute));
    assert!(size(Operation::IntentExecute) < SET.policies().num_of_policies() / 2 + 8);
}
