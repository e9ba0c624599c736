//! What one decision costs: for a person who starts an intent, and for an outgoing request of a step; with the shipped
//! policies, with 200 more, with 100 that no index can tell from each other, and with 10 000 that name a principal or a
//! resource.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use quantum_core::id::{Digest, ExecutionId, IntentUid, PrincipalId, StepId, TenantId};
use quantum_core::port::{ActionEntry, EffectGate, Grant, HttpCall, PrincipalKind, Requester, StepSubject};
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{
    AddressClass, AuthMethod, Capability, Environment, IntentStatus, Operation, Role, Signature, Trust,
};
use quantum_policy::{Auth, Authorizer, Caller, Context, IntentFacts, PolicySet, PolicySources, Resource};
use serde_json::json;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A tenant's own policies: half are grants to one person, half are rules that every request has to pass.
fn more(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count / 2 {
        let _ = writeln!(
            text,
            "@id(\"x.grant-{number}\") permit (principal == User::\"user-{number}\", action in Action::\"operate\", \
             resource);\n@id(\"x.rule-{number}\") forbid (principal, action == Action::\"intent.view\", resource) when \
             {{ resource.hasTag(\"team\") && resource.getTag(\"team\") == \"team-{number}\" }};",
        );
    }
    text
}

/// Rules that nothing but their whole condition tells from each other: every one is evaluated.
fn open(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = writeln!(
            text,
            "@id(\"x.open-{number}\") forbid (principal, action in Action::\"any\", resource) when {{ \
             resource.hasTag(\"team\") && resource.getTag(\"team\") like \"team-{number}*\" }};",
        );
    }
    text
}

/// Grants to one person, and rules about one intent.
fn named(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count / 2 {
        let _ = writeln!(
            text,
            "@id(\"x.grant-{number}\") permit (principal == User::\"user-{number}\", action in Action::\"operate\", \
             resource);\n@id(\"x.rule-{number}\") forbid (principal, action in Action::\"any\", resource == \
             Intent::\"intent-{number}\");",
        );
    }
    text
}

fn authorizer(extra: &str) -> Authorizer {
    let sources = PolicySources::shipped().with("more.cedar", extra);
    Authorizer::new(PolicySet::compile(&sources).expect("the policies are good"))
}

fn caller(tenant: &TenantId) -> Caller {
    Caller {
        id: PrincipalId::new("olga").expect("a good id"),
        kind: PrincipalKind::User,
        tenant: tenant.clone(),
        roles: [Role::Viewer, Role::Operator].into(),
        active: true,
        auth: Auth { method: AuthMethod::Jwt, mfa: true, age_seconds: 60, scopes: BTreeSet::new() },
        environments: BTreeSet::new(),
    }
}

fn step(tenant: &TenantId) -> StepSubject {
    let schema = || Schema::compile(&json!({})).expect("an empty schema compiles");
    let manifest = json!({ "name": "http-request", "parameters": {}, "result": {} });
    let action = ActionEntry {
        plugin: "quantum:http".into(),
        version: "1.0.0".into(),
        component: Digest::new(format!("sha256:{}", "0".repeat(64))).expect("a good digest"),
        manifest: serde_json::from_value(manifest).expect("a good manifest"),
        parameters: schema(),
        result: schema(),
        trust: Trust::Builtin,
        signature: Signature::Verified,
        grant: Grant { capabilities: vec![Capability::Http], ..Grant::default() },
        settings: Arc::default(),
    };
    StepSubject {
        tenant: tenant.clone(),
        execution: ExecutionId::from_uuid(Default::default()),
        step: StepId::new("fetch").expect("a good id"),
        environment: Environment::Production,
        dry_run: false,
        requested_by: Requester {
            id: PrincipalId::new("olga").expect("a good id"),
            kind: PrincipalKind::User,
        },
        action: Arc::new(action),
    }
}

fn decisions(c: &mut Criterion) {
    let tenant = TenantId::new("tenant-123").expect("a good id");
    let (caller, step) = (caller(&tenant), step(&tenant));
    let labels: BTreeMap<String, String> = [("team".to_owned(), "web".to_owned())].into();
    let uid = IntentUid::from_uuid(Default::default());
    let (environment, status) = (Environment::Staging, IntentStatus::Active);
    let facts = IntentFacts { tenant: &tenant, uid, owner: None, environment, status, labels: &labels };
    let now = Timestamp::from_millis(1_795_428_000_250);
    let context = Context { ip: Some(IpAddr::from([192, 0, 2, 7])), ..Context::at(now) };
    let call = HttpCall {
        method: "GET",
        host: "api.example.com",
        port: 443,
        path: "/v1/status",
        tls: true,
        ip: IpAddr::from([93, 184, 216, 34]),
        address_class: AddressClass::Public,
        granted: true,
        attempt: 1,
    };
    let sets = [
        ("shipped", String::new()),
        ("shipped and 200", more(200)),
        ("shipped and 100 open", open(100)),
        ("shipped and 10000 named", named(10_000)),
    ];
    for (name, extra) in sets {
        // Made when the first bench that was asked for uses it.
        let authorizer = LazyCell::new(|| authorizer(&extra));
        for operation in [Operation::IntentView, Operation::IntentExecute] {
            c.bench_function(&format!("policy/{operation}/{name}"), |b| {
                let decide = || authorizer.decide(&caller, operation, &Resource::Intent(facts), &context);
                assert!(decide().verdict.allowed, "{:?}", decide());
                b.iter(|| black_box(decide()));
            });
        }
        c.bench_function(&format!("policy/http.request/{name}"), |b| {
            assert!(authorizer.http_request(&step, &call, now).allowed);
            b.iter(|| black_box(authorizer.http_request(&step, &call, now)));
        });
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);
