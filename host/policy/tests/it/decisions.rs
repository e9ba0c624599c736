//! Decisions about people: the exact words of refusals, what is hidden, and tenants apart.

use std::net::IpAddr;

use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{AuthMethod, Environment, IntentStatus, Operation, Role};
use quantum_policy::{Caller, Context, IntentFacts, PolicySet, PolicySources, Resource, Ruling};

use crate::support::{
    account, authorizer, authorizer_with, context, execution, intent, intent_uid, person, tenant, user,
};

fn reason(ruling: &Ruling) -> &str {
    assert!(!ruling.verdict.allowed, "{ruling:?}");
    ruling.verdict.decision.reason.as_deref().unwrap()
}

fn on_intent(caller: &Caller, operation: Operation) -> Ruling {
    authorizer().decide(caller, operation, &Resource::Intent(intent(&tenant("t1"))), &context())
}

#[test]
fn a_refusal_names_its_policies_and_says_why() {
    let gone = Caller { active: false, ..person("ann", &[Role::Admin]) };
    let ruling = on_intent(&gone, Operation::IntentView);
    assert_eq!(reason(&ruling), "The account is disabled.");
    assert_eq!(ruling.verdict.decision.policies, ["guard.inactive-principal"]);
    assert!(ruling.hidden, "who may not view it is not told that it is there");
}

#[test]
fn a_default_refusal_names_the_roles_that_were_not_enough() {
    let ruling = on_intent(&person("kim", &[Role::Author, Role::Viewer]), Operation::IntentExecute);
    assert_eq!(reason(&ruling), "no policy allows intent.execute for viewer, author");
    assert!(ruling.verdict.decision.policies.is_empty());
    assert!(!ruling.hidden, "a viewer may know that it is there");

    let ruling = on_intent(&person("kim", &[]), Operation::IntentExecute);
    assert_eq!(reason(&ruling), "no policy allows intent.execute for a caller without a role");
    assert!(ruling.hidden);
}

#[test]
fn a_permission_names_its_policies_and_gives_no_reason() {
    let ruling = on_intent(&person("olga", &[Role::Operator, Role::Admin]), Operation::IntentExecute);
    assert!(ruling.verdict.allowed && !ruling.hidden && ruling.errors.is_empty());
    assert_eq!(ruling.verdict.decision.policies, ["role.admin", "role.operator"]);
    assert_eq!(ruling.verdict.decision.reason, None);
}

#[test]
fn the_first_forbid_by_id_gives_the_reason() {
    let own = tenant("t1");
    let archived = Resource::Intent(IntentFacts { status: IntentStatus::Archived, ..intent(&own) });
    let gone = Caller { active: false, ..person("ann", &[Role::Admin]) };
    let ruling = authorizer().decide(&gone, Operation::IntentExecute, &archived, &context());
    assert_eq!(ruling.verdict.decision.policies, ["guard.archived", "guard.inactive-principal"]);
    assert_eq!(reason(&ruling), "Archived intents are read-only.");
}

#[test]
fn a_forbid_without_a_reason_is_named() {
    let text = r#"@id("x.stop") forbid (principal, action == Action::"intent.execute", resource);"#;
    let own = tenant("t1");
    let ruling = authorizer_with(text).decide(
        &person("olga", &[Role::Operator]),
        Operation::IntentExecute,
        &Resource::Intent(intent(&own)),
        &context(),
    );
    assert_eq!(reason(&ruling), "policy x.stop forbids intent.execute");
}

#[test]
fn another_tenants_things_are_refused_to_every_role_and_look_absent() {
    let (authorizer, other, requester) = (authorizer(), tenant("t2"), user("ann"));
    let everything = person("ann", Role::ALL);
    let things = [
        (Operation::TenantView, Resource::Tenant(&other)),
        (Operation::IntentCreate, Resource::Tenant(&other)),
        (Operation::IntentView, Resource::Intent(IntentFacts { owner: Some(&requester), ..intent(&other) })),
        (Operation::IntentExecute, Resource::Intent(intent(&other))),
        (Operation::ExecutionView, execution(&other, &requester)),
        (Operation::ExecutionCancel, execution(&other, &requester)),
        (Operation::PluginInstall, Resource::Tenant(&other)),
    ];
    for (operation, resource) in things {
        let ruling = authorizer.decide(&everything, operation, &resource, &context());
        assert_eq!(reason(&ruling), "The resource is not in your tenant.", "{operation}");
        assert!(ruling.hidden, "{operation}");
    }
}

#[test]
fn another_tenants_plugin_is_not_installed() {
    let own = tenant("t1");
    let mut context = context();
    context.plugin.as_mut().unwrap().tenant = Some(tenant("t2"));
    let ruling = authorizer().decide(
        &person("ann", &[Role::Admin]),
        Operation::PluginInstall,
        &Resource::Tenant(&own),
        &context,
    );
    assert_eq!(reason(&ruling), "The plugin belongs to another tenant.");
    assert!(!ruling.hidden);
}

#[test]
fn ids_that_look_like_policy_text_are_only_ids() {
    let own = tenant("t1");
    let hostile = [r"a::b", "*", "${x}", "User::ann", "ann/../root", "a)}||true//", "%22", "`ann`"];
    for id in hostile {
        let owner = user(id);
        let owned = Resource::Intent(IntentFacts { owner: Some(&owner), ..intent(&own) });
        let decide = |caller: &str| {
            authorizer().decide(&person(caller, &[]), Operation::IntentView, &owned, &context())
        };
        assert_eq!(decide(id).verdict.decision.policies, ["owner.user"], "{id}");
        assert!(!decide("ann").verdict.allowed, "{id} is taken for ann");
    }
    let account = account("ann", &[], &[]);
    let owner = user("ann");
    let owned = Resource::Intent(IntentFacts { owner: Some(&owner), ..intent(&own) });
    let ruling = authorizer().decide(&account, Operation::IntentView, &owned, &context());
    assert!(!ruling.verdict.allowed, "an account is not the person of the same name");
}

#[test]
fn labels_are_data_whatever_they_hold() {
    let text = r#"@id("x.label") forbid (principal, action == Action::"intent.view", resource)
when { resource.hasTag("class") && resource.getTag("class") == "a\"b" };"#;
    let authorizer = authorizer_with(text);
    let own = tenant("t1");
    let allowed = |value: &str| {
        let labels = [("class".to_owned(), value.to_owned())].into();
        let facts = IntentFacts { labels: &labels, ..intent(&own) };
        authorizer.decide(
            &person("kim", &[Role::Viewer]),
            Operation::IntentView,
            &Resource::Intent(facts),
            &context(),
        )
    };
    assert_eq!(allowed("a\"b").verdict.decision.policies, ["x.label"]);
    assert!(allowed("a\\\"b").verdict.allowed && allowed("\" || true || \"").verdict.allowed);
}

#[test]
fn a_question_that_the_schema_does_not_know_is_refused() {
    let (authorizer, own) = (authorizer(), tenant("t1"));
    let admin = person("ann", &[Role::Admin]);
    let ruling = authorizer.decide(&admin, Operation::IntentView, &Resource::Tenant(&own), &context());
    assert_eq!(reason(&ruling), "intent.view is not asked of Tenant by User");
    let bare = Context::at(context().now);
    let ruling = authorizer.decide(&admin, Operation::IntentCreate, &Resource::Tenant(&own), &bare);
    assert_eq!(reason(&ruling), "intent.create needs the environment in its context");
    let ruling = authorizer.decide(&admin, Operation::PluginInstall, &Resource::Tenant(&own), &bare);
    assert_eq!(reason(&ruling), "plugin.install needs the plugin in its context");
    let robot = account("ci", &[Role::Admin], &[]);
    let ruling = authorizer.decide(&robot, Operation::TenantConfigure, &Resource::Tenant(&own), &context());
    assert_eq!(reason(&ruling), "tenant.configure is not asked of Tenant by ServiceAccount");
}

#[test]
fn the_platform_needs_a_second_factor_or_the_machine_itself() {
    let decide = |method, mfa| {
        let mut root = person("root", &[Role::PlatformAdmin]);
        (root.auth.method, root.auth.mfa) = (method, mfa);
        authorizer().decide(&root, Operation::PlatformTenants, &Resource::Platform, &context())
    };
    assert!(decide(AuthMethod::Jwt, true).verdict.allowed);
    assert!(decide(AuthMethod::Local, false).verdict.allowed);
    let refused = decide(AuthMethod::Jwt, false);
    assert_eq!(reason(&refused), "Platform administration needs the platformAdmin role.");
}

#[test]
fn a_service_account_is_held_to_its_environments_by_the_example() {
    let examples = include_str!("../../../../policies/examples/change-control.cedar");
    let (authorizer, own) = (authorizer_with(examples), tenant("t1"));
    let robot = account("ci", &[Role::Operator], &[Environment::Test]);
    let staging = Resource::Intent(intent(&own));
    let ruling = authorizer.decide(&robot, Operation::IntentExecute, &staging, &context());
    assert_eq!(ruling.verdict.decision.policies, ["sa.environment"]);
}

#[test]
fn every_address_and_time_of_day_can_be_asked_about() {
    let text = r#"@id("x.office") forbid (principal, action == Action::"intent.view", resource)
unless { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) && context.weekday == Weekday::"mon"
    && context.localTime >= duration("7h") && context.localTime < duration("19h") };"#;
    let (authorizer, own) = (authorizer_with(text), tenant("t1"));
    let viewer = person("kim", &[Role::Viewer]);
    let policies = |ip: &str, at: &str| {
        let ip = ip.parse::<IpAddr>().ok();
        let context = Context { ip, ..Context::at(Timestamp::parse(at).unwrap()) };
        let resource = Resource::Intent(intent(&own));
        authorizer.decide(&viewer, Operation::IntentView, &resource, &context).verdict.decision.policies
    };
    let monday = "2026-11-23T07:00:00Z";
    assert_eq!(policies("10.1.2.3", monday), ["role.viewer"]);
    assert_eq!(policies("::ffff:10.1.2.3", monday), ["role.viewer"], "IPv4 in IPv6 clothes");
    for (ip, at) in [
        ("", monday),
        ("11.1.2.3", monday),
        ("::10.1.2.3", monday),
        ("fe80::1", monday),
        ("10.1.2.3", "2026-11-23T06:59:59.999Z"),
        ("10.1.2.3", "2026-11-23T19:00:00Z"),
        ("10.1.2.3", "2026-11-22T10:00:00Z"),
        ("10.1.2.3", "1969-12-31T10:00:00Z"),
    ] {
        assert_eq!(policies(ip, at), ["x.office"], "{ip} {at}");
    }
}

#[test]
fn a_policy_for_one_principal_is_for_that_one() {
    let text = format!(
        "@id(\"x.kim\") permit (principal == User::\"kim\", action == Action::\"intent.view\", resource == \
         Intent::\"{}\");",
        intent_uid()
    );
    let (authorizer, own) = (authorizer_with(&text), tenant("t1"));
    let policies = |caller: &Caller| {
        let resource = Resource::Intent(intent(&own));
        authorizer.decide(caller, Operation::IntentView, &resource, &context()).verdict.decision.policies
    };
    assert_eq!(policies(&person("kim", &[])), ["x.kim"]);
    assert_eq!(policies(&person("kim", &[Role::Viewer])), ["role.viewer", "x.kim"]);
    assert!(policies(&person("Kim", &[])).is_empty());
    let gone = Caller { active: false, ..person("kim", &[]) };
    assert_eq!(policies(&gone), ["guard.inactive-principal"]);
}

#[test]
fn a_swap_is_seen_by_every_handle_and_changes_the_version() {
    let (authorizer, own) = (authorizer(), tenant("t1"));
    let handle = authorizer.clone();
    let viewer = person("kim", &[Role::Viewer]);
    let decide =
        || handle.decide(&viewer, Operation::IntentView, &Resource::Intent(intent(&own)), &context()).verdict;
    let before = decide();
    let stop = r#"@id("x.stop") forbid (principal, action == Action::"intent.view", resource);"#;
    authorizer.swap(PolicySet::compile(&PolicySources::shipped().with("stop.cedar", stop)).unwrap());
    let after = decide();
    assert!(before.allowed && !after.allowed);
    assert_ne!(before.decision.policy_version, after.decision.policy_version);
    assert_eq!(after.decision.policy_version, authorizer.policies().version());
    assert!(after.decision.policy_version.len() == 16, "{}", after.decision.policy_version);
}

#[test]
fn a_version_depends_on_the_texts_and_not_on_where_they_lie() {
    let version = |files: [(&str, &str); 2]| {
        let sources =
            files.into_iter().fold(PolicySources::shipped(), |all, (file, text)| all.with(file, text));
        PolicySet::compile(&sources).unwrap().version().to_owned()
    };
    let one = version([("a", "// 1"), ("b", "// 2")]);
    assert_eq!(one, version([("moved", "// 2"), ("a", "// 1")]));
    assert_ne!(one, version([("a", "// 1"), ("b", "// 3")]));
}

#[test]
fn a_decision_id_is_new_each_time_and_carries_the_time() {
    let viewer = person("kim", &[Role::Viewer]);
    let id = || on_intent(&viewer, Operation::IntentView).verdict.decision.id.as_uuid();
    let (first, second) = (id(), id());
    assert_ne!(first, second);
    let (seconds, nanos) = first.get_timestamp().unwrap().to_unix();
    assert_eq!((seconds * 1_000 + u64::from(nanos) / 1_000_000) as i64, context().now.as_millis());
}
