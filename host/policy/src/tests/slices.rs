//! A slice decides as the full set does: same forbids, same permits, same errors.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cedar_policy::{Policy, PolicyId, ValidationMode, Validator};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use quantum_core::vocabulary::Operation;

use super::facts::{World, world};
use super::reference;
use crate::check::check_sources;
use crate::compile::PolicySet;
use crate::needs::Needs;
use crate::source::PolicySources;
use crate::words::PARSED_SCHEMA;

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
@id("x.fails-first") permit (principal, action in Action::"operate", resource)
when { context.auth.ageSeconds * 2 > 0 && principal.tenant == Tenant::"t1" };
@id("x.fails-later") permit (principal, action in Action::"operate", resource)
when { principal.tenant == Tenant::"t1" && context.auth.ageSeconds * 2 > 0 };
@id("x.weekday") forbid (principal, action, resource)
when { context has weekday && context.weekday == Weekday::"wed" };
"#;

static SET: LazyLock<PolicySet> =
    LazyLock::new(|| PolicySet::compile(&PolicySources::shipped().with("more.cedar", MORE)).unwrap());

/// Every question of a world, put to a set and to Cedar itself.
fn same_as_cedar(set: &PolicySet, world: &World) -> Result<(), TestCaseError> {
    let everything = Needs::everything();
    for operation in Operation::ALL {
        let slice = set.slice(world.asked(*operation)).unwrap();
        let sliced = slice.evaluate(world.question(*operation, &slice.needs)).unwrap();
        let whole = world.question(*operation, &everything);
        let (request, entities) = reference::put(whole, slice, None).unwrap();
        prop_assert_eq!(sliced, reference::decide(set, &request, &entities), "{}", operation);
    }
    Ok(())
}

/// The parts of random policies.
const PRINCIPALS: &[&str] = &[
    "principal",
    "principal == User::\"ann\"",
    "principal == ServiceAccount::\"bob\"",
    "principal is ServiceAccount",
    "principal in Role::\"operator\"",
    "principal is User in Role::\"sre\"",
    "principal in Execution::\"00000000-0000-0000-0000-000000000000\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action in Action::\"read\"",
    "action in [Action::\"operate\", Action::\"author\"]",
    "action == Action::\"intent.view\"",
    "action in Action::\"runtime\"",
];
const RESOURCES: &[&str] = &[
    "resource",
    "resource is Intent",
    "resource == Tenant::\"t1\"",
    "resource in Tenant::\"t1\"",
    "resource is Intent in Tenant::\"t2\"",
    "resource in Plugin::\"quantum:http\"",
];
/// Conditions that an index can answer, alone and after others, that cannot fail and that can.
const CONDITIONS: &[&str] = &[
    "",
    "when { principal.tenant == Tenant::\"t1\" }",
    "when { Tenant::\"t2\" == principal.tenant } unless { principal in Role::\"admin\" }",
    "when { resource has environment && resource.environment == EnvClass::\"production\" }",
    "when { resource is Intent && resource.hasTag(\"class\") && resource.getTag(\"class\") == \"open\" }",
    "when { resource is Intent && resource.hasTag(\"a b\") && \"\\\"\" == resource.getTag(\"a b\") && action == Action::\"intent.view\" }",
    "when { resource is Intent } when { resource has owner && resource.owner == User::\"ann\" }",
    "when { context has auth && context.auth.ageSeconds + 9223372036854775807 > 0 && principal.tenant == Tenant::\"t1\" }",
    "when { principal.tenant == Tenant::\"t1\" && context has auth && context.auth.ageSeconds * 2 > 0 }",
    "when { resource is Endpoint && (resource.tls == true && resource.port == 443) }",
    "when { resource is Execution && resource.dryRun == false && principal in Role::\"operator\" }",
    "unless { resource is Intent && resource.status == IntentStatus::\"active\" }",
    "unless { resource is Platform || resource has tenant && principal.tenant == resource.tenant || !(resource has tenant) }",
    "unless { !(resource has owner) || principal has active && principal.active }",
    "when { resource is Execution && !resource.dryRun && principal has active } when { principal.active }",
    "unless { context has auth && context.auth.ageSeconds + 9223372036854775807 > 0 && principal is Step }",
    "when { context has auth && context.auth.ageSeconds + 9223372036854775807 > 0 || principal is User }",
    "when { if resource is Intent then resource.status == IntentStatus::\"paused\" else principal.tenant == Tenant::\"t1\" }",
    "when { context has now && context.now < datetime(\"2030-01-01\") && principal.tenant == Tenant::\"t1\" }",
    "when { context has ip && context.ip.isInRange(ip(\"10.0.0.0/8\")) || context has change.window }",
    "when { principal.tenant == Tenant::\"t1\" || context has weekday && [context].contains(context) }",
    "when { action in [Action::\"author\", Action::\"runtime\"] && principal has active && principal.active }",
    "when { resource is Intent && [\"class\", \"a b\"].contains(\"class\") && resource.hasTag(if principal is User then \"class\" else \"a b\") }",
];

prop_compose! {
    fn policy()(
        effect in select(vec!["permit", "forbid"]),
        (principal, action, resource) in (select(PRINCIPALS), select(ACTIONS), select(RESOURCES)),
        condition in select(CONDITIONS),
    ) -> String {
        format!("{effect} ({principal}, {action}, {resource}) {condition};")
    }
}

/// The shipped policies, and those of the given ones that the validator takes.
fn with(texts: &[String]) -> PolicySet {
    let (mut policies, _) = check_sources(&PolicySources::shipped());
    let validator = Validator::new(PARSED_SCHEMA.clone());
    for (number, text) in texts.iter().enumerate() {
        let policy = Policy::parse(Some(PolicyId::new(format!("x.{number}"))), text).unwrap();
        let alone = cedar_policy::PolicySet::from_policies([policy.clone()]).unwrap();
        if validator.validate_with_level(&alone, ValidationMode::Strict, 1).validation_passed() {
            policies.push(policy);
        }
    }
    PolicySet::from_checked(policies, "test".into()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_decides_as_the_full_set_does(world in world()) {
        same_as_cedar(&SET, &world)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_policies_decide_as_cedar_does(
        texts in prop::collection::vec(policy(), 30),
        worlds in prop::collection::vec(world(), 4),
    ) {
        let set = with(&texts);
        for world in &worlds {
            same_as_cedar(&set, world)?;
        }
    }
}

/// Policies for others: none of them can apply to a question of a random world.
fn for_others() -> Vec<String> {
    let texts = (0..8).flat_map(|number| {
        [
            format!("permit (principal == User::\"other-{number}\", action, resource);"),
            format!("forbid (principal is Step in Execution::\"other-{number}\", action, resource);"),
            format!("forbid (principal, action, resource == Intent::\"other-{number}\");"),
            format!("permit (principal, action, resource in Tenant::\"other-{number}\");"),
            format!("forbid (principal, action, resource) when {{ principal.tenant == Tenant::\"other-{number}\" }};"),
            format!(
                "forbid (principal, action == Action::\"intent.view\", resource) when {{ resource.hasTag(\"class\") && \
                 resource.getTag(\"class\") == \"other-{number}\" && principal.active }};"
            ),
        ]
    });
    texts.collect()
}

#[test]
fn a_decision_looks_at_no_policy_that_is_for_others() {
    let (few, many) = (with(&[]), with(&for_others()));
    assert_eq!(many.policies().num_of_policies(), few.policies().num_of_policies() + 48);
    let mut runner = TestRunner::deterministic();
    for _ in 0..16 {
        let world = world().new_tree(&mut runner).unwrap().current();
        for operation in Operation::ALL {
            let candidates = |set: &PolicySet| {
                let slice = set.slice(world.asked(*operation)).unwrap();
                let question = world.question(*operation, &slice.needs);
                slice.candidates(&question).iter().map(|rule| rule.id.clone()).collect::<BTreeSet<_>>()
            };
            assert_eq!(candidates(&few), candidates(&many), "{operation}");
        }
    }
}

#[test]
fn the_validator_takes_each_condition_with_some_scope() {
    let shipped = with(&[]).policies().num_of_policies();
    for condition in CONDITIONS {
        let text = |action| format!("permit (principal, {action}, resource) {condition};");
        let texts: Vec<String> = ACTIONS.iter().map(text).collect();
        assert!(with(&texts).policies().num_of_policies() > shipped, "{condition}");
    }
}
