//! A policy that errs is skipped by Cedar, so that a forbid that overflows would let the request through.

use cedar_policy::{Policy, PolicyId};
use quantum_core::vocabulary::{Operation, Role};

use crate::authorizer::{Authorizer, Ruling};
use crate::check::check_sources;
use crate::compile::PolicySet;
use crate::facts::{Auth, Caller, Context, Resource};
use crate::source::PolicySources;
use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::port::PrincipalKind;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::AuthMethod;

/// Past the checks that would refuse it: the shipped policies and a forbid that overflows.
fn with_overflow() -> Authorizer {
    let forbid = r#"forbid (principal, action == Action::"tenant.view", resource)
when { context.auth.ageSeconds + 9223372036854775807 < 0 };"#;
    let (mut policies, _) = check_sources(&PolicySources::shipped());
    policies.push(Policy::parse(Some(PolicyId::new("x.overflow")), forbid).unwrap());
    Authorizer::new(PolicySet::from_checked(policies, "test".into()).unwrap())
}

fn decide(authorizer: &Authorizer, roles: &[Role], active: bool) -> Ruling {
    let tenant = TenantId::new("t1").unwrap();
    let caller = Caller {
        id: PrincipalId::new("ann").unwrap(),
        kind: PrincipalKind::User,
        tenant: tenant.clone(),
        roles: roles.iter().copied().collect(),
        active,
        auth: Auth { method: AuthMethod::Jwt, mfa: true, age_seconds: 60, scopes: Default::default() },
        environments: Default::default(),
    };
    let context = Context::at(Timestamp::from_millis(0));
    authorizer.decide(&caller, Operation::TenantView, &Resource::Tenant(&tenant), &context)
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies_and_is_counted() {
    let authorizer = with_overflow();
    let ruling = decide(&authorizer, &[Role::Admin], true);
    assert!(!ruling.verdict.allowed);
    assert_eq!(ruling.verdict.decision.policies, ["x.overflow"]);
    let reason = "policy x.overflow cannot be evaluated for this request, so that it is refused";
    assert_eq!(ruling.verdict.decision.reason.as_deref(), Some(reason));
    let overflow = "integer overflow while attempting to add the values `60` and `9223372036854775807`";
    assert_eq!(ruling.errors, [format!("policy x.overflow: {overflow}")]);
    assert_eq!(authorizer.decisions_with_errors(), 1);
}

#[test]
fn a_forbid_that_holds_is_named_before_one_that_errs() {
    let authorizer = with_overflow();
    let ruling = decide(&authorizer, &[Role::Admin], false);
    assert_eq!(ruling.verdict.decision.policies, ["guard.inactive-principal"]);
    assert_eq!((ruling.errors.len(), authorizer.decisions_with_errors()), (1, 1));
}
