//! Decisions about running steps, through the ports that the engine and the sandbox hold.

use std::net::IpAddr;
use std::sync::Arc;

use quantum_core::id::{Digest, ExecutionId, StepId};
use quantum_core::manifest::{ActionManifest, Effects};
use quantum_core::port::{
    ActionEntry, Decision, EffectGate, Grant, HttpCall, PrincipalKind, Requester, StepGate, StepSubject,
};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::{AddressClass, Capability, Environment, Signature, Trust};
use quantum_policy::Authorizer;
use serde_json::json;

use crate::support::{authorizer, authorizer_with, now, tenant, user};

fn action() -> ActionEntry {
    let schema = || Schema::compile(&json!({})).unwrap();
    ActionEntry {
        plugin: "quantum:http".into(),
        version: "1.0.0".into(),
        component: Digest::new(format!("sha256:{}", "0".repeat(64))).unwrap(),
        manifest: ActionManifest {
            name: "http-request".into(),
            title: String::new(),
            description: String::new(),
            parameters: json!({}),
            result: json!({}),
            aliases: Vec::new(),
            idempotent: false,
            effects: Effects::AtLeastOnce,
            side_effects: true,
            reversible: false,
            dry_run: false,
        },
        parameters: schema(),
        result: schema(),
        trust: Trust::Verified,
        signature: Signature::Verified,
        grant: Grant { capabilities: vec![Capability::Http], ..Grant::default() },
        settings: Arc::default(),
    }
}

fn step(action: ActionEntry) -> StepSubject {
    StepSubject {
        tenant: tenant("t1"),
        execution: ExecutionId::parse("0198c0de-0000-7000-8000-000000000002").unwrap(),
        step: StepId::new("fetch").unwrap(),
        environment: Environment::Production,
        dry_run: false,
        requested_by: user("olga"),
        action: Arc::new(action),
    }
}

fn call() -> HttpCall<'static> {
    HttpCall {
        method: "GET",
        host: "api.example.com",
        port: 443,
        path: "/v1",
        tls: true,
        ip: IpAddr::from([93, 184, 216, 34]),
        address_class: AddressClass::Public,
        granted: true,
        attempt: 1,
    }
}

fn start(authorizer: &Authorizer, subject: &StepSubject) -> (bool, Decision) {
    let verdict = authorizer.step_start(subject, 1, now());
    (verdict.allowed, verdict.decision)
}

fn refused(decision: (bool, Decision)) -> String {
    assert!(!decision.0, "{decision:?}");
    decision.1.reason.unwrap()
}

#[test]
fn a_step_starts_unless_a_guard_holds_it() {
    let authorizer = authorizer();
    let (allowed, decision) = start(&authorizer, &step(action()));
    assert!(allowed);
    assert_eq!(decision.policies, ["runtime.default"]);

    let forged = ActionEntry { signature: Signature::Invalid, ..action() };
    assert_eq!(refused(start(&authorizer, &step(forged))), "The plugin's signature does not verify.");
}

#[test]
fn a_dry_run_starts_only_what_does_nothing_or_knows_dry_runs() {
    let authorizer = authorizer();
    let dry = |change: fn(&mut ActionManifest)| {
        let mut action = action();
        change(&mut action.manifest);
        start(&authorizer, &StepSubject { dry_run: true, ..step(action) })
    };
    assert_eq!(refused(dry(|_| {})), "A dry run may not start an action with side effects.");
    assert!(dry(|manifest| manifest.dry_run = true).0);
    assert!(dry(|manifest| manifest.side_effects = false).0);
}

#[test]
fn a_policy_can_ask_who_requested_the_step_and_which_action_it_is() {
    let authorizer = authorizer_with(
        r#"@id("x.interns") forbid (principal, action == Action::"step.start",
  resource == PluginAction::"quantum:http/http-request")
when { principal has requestedBy && principal.requestedBy == User::"intern" };
@id("x.night") forbid (principal in Execution::"0198c0de-0000-7000-8000-000000000002",
  action == Action::"step.start", resource in Plugin::"quantum:http")
when { principal has requestedByAccount && resource in Namespace::"quantum" && context.attempt > 2 };"#,
    );
    assert!(start(&authorizer, &step(action())).0);
    let intern = StepSubject { requested_by: user("intern"), ..step(action()) };
    assert_eq!(start(&authorizer, &intern).1.policies, ["x.interns"]);
    let robot = Requester { kind: PrincipalKind::ServiceAccount, ..user("intern") };
    let robot = StepSubject { requested_by: robot, ..step(action()) };
    assert!(authorizer.step_start(&robot, 2, now()).allowed);
    assert_eq!(authorizer.step_start(&robot, 3, now()).decision.policies, ["x.night"]);
}

#[test]
fn a_request_goes_where_the_grant_and_the_address_allow() {
    let authorizer = authorizer();
    let subject = step(action());
    let decide = |call: HttpCall<'_>| {
        let verdict = authorizer.http_request(&subject, &call, now());
        (verdict.allowed, verdict.decision)
    };
    assert!(decide(call()).0);
    assert!(decide(HttpCall { address_class: AddressClass::OperatorAllowed, ..call() }).0);
    assert_eq!(
        refused(decide(HttpCall { granted: false, ..call() })),
        "The host is not on the tenant's allow-list."
    );
    let text = "The address is loopback, link-local, private or a metadata service, and no operator named its range.";
    for class in AddressClass::ALL {
        if !matches!(class, AddressClass::Public | AddressClass::OperatorAllowed) {
            assert_eq!(refused(decide(HttpCall { address_class: *class, ..call() })), text, "{class}");
        }
    }
}

#[test]
fn a_step_without_the_capability_sends_nothing() {
    let bare = step(ActionEntry { grant: Grant::default(), ..action() });
    let verdict = authorizer().http_request(&bare, &call(), now());
    assert_eq!(refused((verdict.allowed, verdict.decision)), "The step was not granted http.");
}

#[test]
fn a_policy_can_look_at_the_whole_request() {
    let authorizer = authorizer_with(
        r#"@id("x.reads") forbid (principal, action == Action::"http.request",
  resource == Endpoint::"https://api.example.com:443")
when { context.method != "GET" || context.path like "/admin*" || !resource.tls || resource.port != 443
    || resource.host != "api.example.com"
    || (resource has ip && !resource.ip.isInRange(ip("93.184.216.0/24"))) };"#,
    );
    let subject = step(action());
    let allowed = |call: HttpCall<'_>| authorizer.http_request(&subject, &call, now()).allowed;
    assert!(allowed(call()));
    assert!(!allowed(HttpCall { method: "POST", ..call() }));
    assert!(!allowed(HttpCall { path: "/admin/x", ..call() }));
    assert!(!allowed(HttpCall { ip: IpAddr::from([1, 1, 1, 1]), ..call() }));
}
