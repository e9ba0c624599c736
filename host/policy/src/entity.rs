//! Cedar's entities, built straight from typed facts: no JSON, and no schema on the hot path (a test holds them to it).
//!
//! Parents are flat, so that the groups, roles and tenants themselves need not be loaded.

use std::collections::BTreeMap;

use cedar_policy::{Entity, EntityTypeName, EntityUid, RestrictedExpression as Value};
use quantum_core::id::TenantId;
use quantum_core::port::{ActionEntry, HttpCall, PrincipalKind, Requester, StepSubject};
use quantum_core::vocabulary::Capability;

use crate::context::address;
use crate::facts::{Caller, ExecutionFacts, IntentFacts, PluginFacts, Resource, SecretFacts};
use crate::question::Unfit;
use crate::words::{WORDS, uid};

type Built = Result<Entity, Unfit>;
type Attribute = (String, Value);

/// A person or a service account with its roles.
pub(crate) fn caller(caller: &Caller) -> Built {
    let roles = caller.roles.iter().map(|role| WORDS.role(*role));
    let mut attrs = vec![tenant(&caller.tenant), attr("active", Value::new_bool(caller.active))];
    if caller.kind == PrincipalKind::ServiceAccount {
        let environments =
            caller.environments.iter().map(|env| Value::new_entity_uid(WORDS.environment(*env)));
        attrs.push(attr("environments", Value::new_set(environments)));
    }
    build(principal(caller.kind, caller.id.as_str()), attrs, roles, [])
}

pub(crate) fn resource(resource: &Resource<'_>) -> Built {
    match resource {
        Resource::Tenant(id) => Ok(Entity::with_uid(uid(&WORDS.tenant, id.as_str()))),
        Resource::Intent(facts) => intent(facts),
        Resource::Execution(facts) => execution(facts),
        Resource::Secret(facts) => secret(facts),
        Resource::Platform => Ok(Entity::with_uid(WORDS.host.clone())),
    }
}

fn intent(facts: &IntentFacts<'_>) -> Built {
    let mut attrs = vec![
        tenant(facts.tenant),
        reference("environment", WORDS.environment(facts.environment)),
        word("status", &WORDS.intent_status, facts.status.as_str()),
    ];
    attrs.extend(facts.owner.map(|owner| requester(owner, "owner", "ownerAccount")));
    let parents = [uid(&WORDS.tenant, facts.tenant.as_str())];
    build(uid(&WORDS.intent, facts.uid.to_string()), attrs, parents, tags(facts.labels))
}

fn execution(facts: &ExecutionFacts<'_>) -> Built {
    let attrs = [
        tenant(facts.tenant),
        requester(facts.requested_by, "requestedBy", "requestedByAccount"),
        reference("environment", WORDS.environment(facts.environment)),
        word("status", &WORDS.execution_status, facts.status.as_str()),
        word("intentStatus", &WORDS.intent_status, facts.intent_status.as_str()),
        attr("dryRun", Value::new_bool(facts.dry_run)),
    ];
    let parents = [uid(&WORDS.intent, facts.intent.to_string()), uid(&WORDS.tenant, facts.tenant.as_str())];
    build(uid(&WORDS.execution, facts.id.to_string()), attrs, parents, tags(facts.labels))
}

/// A secret of one environment; its value is nobody's business here.
pub(crate) fn secret(facts: &SecretFacts<'_>) -> Built {
    let mut attrs = vec![
        tenant(facts.tenant),
        reference("environment", WORDS.environment(facts.environment)),
        attr("frozen", Value::new_bool(false)),
    ];
    attrs.extend(facts.expires_at.map(|at| attr("expires", Value::new_datetime(at.to_string()))));
    let id = format!("{}/{}/{}", facts.tenant, facts.environment, facts.name);
    build(uid(&WORDS.secret, id), attrs, [uid(&WORDS.tenant, facts.tenant.as_str())], [])
}

/// A plugin that a context names.
pub(crate) fn plugin(plugin: &PluginFacts) -> Built {
    let mut attrs = vec![
        word("publisherTrust", &WORDS.trust, plugin.trust.as_str()),
        word("signature", &WORDS.signature, plugin.signature.as_str()),
        capabilities(&plugin.capabilities),
        attr("yanked", Value::new_bool(plugin.yanked)),
    ];
    attrs.extend(plugin.tenant.as_ref().map(tenant));
    build(plugin_uid(&plugin.id), attrs, [namespace(&plugin.id)], [])
}

/// The running step: who it works for, and what the installer granted it.
pub(crate) fn step(subject: &StepSubject) -> Built {
    let execution = subject.execution.to_string();
    let id = format!("{execution}/{}", subject.step);
    let attrs = [
        tenant(&subject.tenant),
        reference("environment", WORDS.environment(subject.environment)),
        attr("dryRun", Value::new_bool(subject.dry_run)),
        reference("action", action_uid(&subject.action)),
        requester(&subject.requested_by, "requestedBy", "requestedByAccount"),
        word("publisherTrust", &WORDS.trust, subject.action.trust.as_str()),
        word("signature", &WORDS.signature, subject.action.signature.as_str()),
        capabilities(&subject.action.grant.capabilities),
        reference("allowedHosts", allowed_hosts(subject)),
    ];
    build(uid(&WORDS.step, id), attrs, [uid(&WORDS.execution, execution)], [])
}

/// The action that a step is about to run.
pub(crate) fn plugin_action(action: &ActionEntry) -> Built {
    let attrs = [
        word("publisherTrust", &WORDS.trust, action.trust.as_str()),
        word("signature", &WORDS.signature, action.signature.as_str()),
        capabilities(&action.grant.capabilities),
        attr("sideEffects", Value::new_bool(action.manifest.side_effects)),
        attr("supportsDryRun", Value::new_bool(action.manifest.dry_run)),
        attr("reversible", Value::new_bool(action.manifest.reversible)),
    ];
    let parents = [plugin_uid(&action.plugin), namespace(&action.plugin)];
    build(action_uid(action), attrs, parents, [])
}

/// Where a request goes. It is in the step's host set when a pattern of the grant covers it.
pub(crate) fn endpoint(subject: &StepSubject, call: &HttpCall<'_>) -> Built {
    let scheme = if call.tls { "https" } else { "http" };
    let id = format!("{scheme}://{}:{}", call.host, call.port);
    let attrs = [
        attr("host", Value::new_string(call.host.to_owned())),
        attr("port", Value::new_long(i64::from(call.port))),
        attr("tls", Value::new_bool(call.tls)),
        attr("ip", address(call.ip)),
        word("addressClass", &WORDS.address_class, call.address_class.as_str()),
    ];
    let sets = call.granted.then(|| allowed_hosts(subject));
    build(uid(&WORDS.endpoint, id), attrs, sets, [])
}

fn build(
    uid: EntityUid,
    attrs: impl IntoIterator<Item = Attribute>,
    parents: impl IntoIterator<Item = EntityUid>,
    tags: impl IntoIterator<Item = Attribute>,
) -> Built {
    Entity::new_with_tags(uid, attrs, parents, tags).map_err(Unfit::other)
}

pub(crate) fn plugin_uid(id: &str) -> EntityUid {
    uid(&WORDS.plugin, id)
}

fn action_uid(action: &ActionEntry) -> EntityUid {
    uid(&WORDS.plugin_action, format!("{}/{}", action.plugin, action.manifest.name))
}

fn namespace(plugin: &str) -> EntityUid {
    uid(&WORDS.namespace, plugin.split(':').next().unwrap_or(plugin))
}

/// The hosts of one installation.
fn allowed_hosts(subject: &StepSubject) -> EntityUid {
    uid(&WORDS.host_set, format!("{}/{}", subject.tenant, subject.action.plugin))
}

fn principal(kind: PrincipalKind, id: &str) -> EntityUid {
    match kind {
        PrincipalKind::User => uid(&WORDS.user, id),
        PrincipalKind::ServiceAccount => uid(&WORDS.service_account, id),
    }
}

/// Cedar has no "one of two types": each kind has its own optional attribute.
fn requester(requester: &Requester, person: &str, account: &str) -> Attribute {
    let name = if requester.kind == PrincipalKind::User { person } else { account };
    reference(name, principal(requester.kind, requester.id.as_str()))
}

fn tenant(id: &TenantId) -> Attribute {
    word("tenant", &WORDS.tenant, id.as_str())
}

fn capabilities(granted: &[Capability]) -> Attribute {
    let words = granted.iter().map(|one| Value::new_entity_uid(uid(&WORDS.capability, one.as_str())));
    attr("capabilities", Value::new_set(words))
}

fn tags(labels: &BTreeMap<String, String>) -> impl Iterator<Item = Attribute> {
    labels.iter().map(|(key, value)| (key.clone(), Value::new_string(value.clone())))
}

fn word(name: &str, kind: &EntityTypeName, id: &str) -> Attribute {
    reference(name, uid(kind, id))
}

fn reference(name: &str, to: EntityUid) -> Attribute {
    attr(name, Value::new_entity_uid(to))
}

fn attr(name: &str, value: Value) -> Attribute {
    (name.to_owned(), value)
}
