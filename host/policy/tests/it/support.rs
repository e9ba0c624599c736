//! People and things to decide about.

use std::collections::{BTreeMap, BTreeSet};

use quantum_core::id::{ExecutionId, IntentUid, PrincipalId, TenantId};
use quantum_core::port::{PrincipalKind, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{
    AuthMethod, Environment, ExecutionStatus, IntentStatus, Role, Signature, Trust,
};
use quantum_policy::{
    Auth, Authorizer, Caller, Context, ExecutionFacts, IntentFacts, PluginFacts, PolicySet, PolicySources,
    Resource,
};

pub static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

pub fn authorizer() -> Authorizer {
    Authorizer::new(PolicySet::compile(&PolicySources::shipped()).unwrap())
}

/// With one more file of policies.
pub fn authorizer_with(text: &str) -> Authorizer {
    Authorizer::new(PolicySet::compile(&PolicySources::shipped().with("extra.cedar", text)).unwrap())
}

pub fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

pub fn person(id: &str, roles: &[Role]) -> Caller {
    Caller {
        id: PrincipalId::new(id).unwrap(),
        kind: PrincipalKind::User,
        tenant: tenant("t1"),
        roles: roles.iter().copied().collect(),
        active: true,
        auth: Auth { method: AuthMethod::Jwt, mfa: true, age_seconds: 60, scopes: BTreeSet::new() },
        environments: BTreeSet::new(),
    }
}

pub fn account(id: &str, roles: &[Role], environments: &[Environment]) -> Caller {
    Caller {
        kind: PrincipalKind::ServiceAccount,
        environments: environments.iter().copied().collect(),
        ..person(id, roles)
    }
}

pub fn user(id: &str) -> Requester {
    Requester { id: PrincipalId::new(id).unwrap(), kind: PrincipalKind::User }
}

pub fn intent_uid() -> IntentUid {
    IntentUid::parse("0198c0de-0000-7000-8000-000000000001").unwrap()
}

/// An active staging intent without an owner.
pub fn intent<'a>(tenant: &'a TenantId) -> IntentFacts<'a> {
    IntentFacts {
        tenant,
        uid: intent_uid(),
        owner: None,
        environment: Environment::Staging,
        status: IntentStatus::Active,
        labels: &NO_LABELS,
    }
}

pub fn execution<'a>(tenant: &'a TenantId, requested_by: &'a Requester) -> Resource<'a> {
    Resource::Execution(ExecutionFacts {
        tenant,
        id: ExecutionId::parse("0198c0de-0000-7000-8000-000000000002").unwrap(),
        intent: intent_uid(),
        intent_status: IntentStatus::Active,
        environment: Environment::Staging,
        status: ExecutionStatus::Running,
        requested_by,
        dry_run: false,
        labels: &NO_LABELS,
    })
}

/// A Monday morning.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00.250Z").unwrap()
}

pub fn context() -> Context {
    let plugin = PluginFacts {
        id: "quantum:http".into(),
        tenant: None,
        trust: Trust::Builtin,
        signature: Signature::Verified,
        capabilities: Vec::new(),
        yanked: false,
    };
    Context { environment: Some(Environment::Staging), plugin: Some(plugin), ..Context::at(now()) }
}
