//! Entities, built straight from typed facts.
//!
//! Ancestors are flat, so that the groups, roles and tenants themselves need not be loaded.

use std::sync::Arc;

use cedar_policy_core::ast::{EntityType, EntityUID, Value};
use quantum_core::id::TenantId;
use quantum_core::port::{ActionEntry, HttpCall, PrincipalKind, Requester, StepSubject};
use quantum_core::vocabulary::Capability;

use crate::context::address;
use crate::draft::Draft;
use crate::facts::{Caller, ExecutionFacts, IntentFacts, PluginFacts, Resource, SecretFacts};
use crate::needs::Needs;
use crate::question::Unfit;
use crate::words::{WORDS, uid};

type Uid = Arc<EntityUID>;

/// A person or a service account with its roles.
pub(crate) fn caller<'n>(caller: &Caller, needs: &'n Needs) -> Draft<'n> {
    let roles = caller.roles.iter().map(|role| WORDS.role(*role));
    let mut draft = Draft::new(principal(caller.kind, caller.id.as_str()), needs).within(roles);
    draft.fields.set("tenant", || tenant(&caller.tenant));
    draft.fields.set("active", || caller.active);
    if caller.kind == PrincipalKind::ServiceAccount {
        draft.fields.set("environments", || {
            Value::set(caller.environments.iter().map(|env| WORDS.environment(*env).into()), None)
        });
    }
    draft
}

/// The type of a person or a service account.
pub(crate) fn caller_type(kind: PrincipalKind) -> &'static EntityType {
    match kind {
        PrincipalKind::User => &WORDS.user,
        PrincipalKind::ServiceAccount => &WORDS.service_account,
    }
}

pub(crate) fn resource<'n>(resource: &Resource<'_>, needs: &'n Needs) -> Result<Draft<'n>, Unfit> {
    match resource {
        Resource::Tenant(id) => Ok(Draft::new(tenant(id), needs)),
        Resource::Intent(facts) => Ok(intent(facts, needs)),
        Resource::Execution(facts) => Ok(execution(facts, needs)),
        Resource::Secret(facts) => secret(facts, needs),
        Resource::Platform => Ok(Draft::new(WORDS.host.clone(), needs)),
    }
}

pub(crate) fn resource_type(resource: &Resource<'_>) -> &'static EntityType {
    match resource {
        Resource::Tenant(_) => &WORDS.tenant,
        Resource::Intent(_) => &WORDS.intent,
        Resource::Execution(_) => &WORDS.execution,
        Resource::Secret(_) => &WORDS.secret,
        Resource::Platform => &WORDS.platform,
    }
}

fn intent<'n>(facts: &IntentFacts<'_>, needs: &'n Needs) -> Draft<'n> {
    let own = uid(&WORDS.intent, facts.uid.to_string());
    let mut draft = Draft::new(own, needs).within([tenant(facts.tenant)]).tagged(facts.labels);
    draft.fields.set("tenant", || tenant(facts.tenant));
    draft.fields.set("environment", || WORDS.environment(facts.environment));
    draft.fields.set("status", || uid(&WORDS.intent_status, facts.status.as_str()));
    if let Some(owner) = facts.owner {
        draft.fields.set(by_kind(owner, "owner", "ownerAccount"), || requester(owner));
    }
    draft
}

fn execution<'n>(facts: &ExecutionFacts<'_>, needs: &'n Needs) -> Draft<'n> {
    let parents = [uid(&WORDS.intent, facts.intent.to_string()), tenant(facts.tenant)];
    let own = uid(&WORDS.execution, facts.id.to_string());
    let mut draft = Draft::new(own, needs).within(parents).tagged(facts.labels);
    let by = facts.requested_by;
    draft.fields.set("tenant", || tenant(facts.tenant));
    draft.fields.set(by_kind(by, "requestedBy", "requestedByAccount"), || requester(by));
    draft.fields.set("environment", || WORDS.environment(facts.environment));
    draft.fields.set("status", || uid(&WORDS.execution_status, facts.status.as_str()));
    draft.fields.set("intentStatus", || uid(&WORDS.intent_status, facts.intent_status.as_str()));
    draft.fields.set("dryRun", || facts.dry_run);
    draft
}

/// A secret of one environment; its value is nobody's business here.
pub(crate) fn secret<'n>(facts: &SecretFacts<'_>, needs: &'n Needs) -> Result<Draft<'n>, Unfit> {
    let own = uid(&WORDS.secret, format!("{}/{}/{}", facts.tenant, facts.environment, facts.name));
    let mut draft = Draft::new(own, needs).within([tenant(facts.tenant)]);
    draft.fields.set("tenant", || tenant(facts.tenant));
    draft.fields.set("environment", || WORDS.environment(facts.environment));
    if let Some(at) = facts.expires_at {
        draft.fields.parse("expires", &WORDS.datetime, || at.to_string())?;
    }
    Ok(draft)
}

/// A plugin that a context names.
pub(crate) fn plugin<'n>(plugin: &PluginFacts, needs: &'n Needs) -> Draft<'n> {
    let mut draft = Draft::new(plugin_uid(&plugin.id), needs).within([namespace(&plugin.id)]);
    draft.fields.set("publisherTrust", || uid(&WORDS.trust, plugin.trust.as_str()));
    draft.fields.set("signature", || uid(&WORDS.signature, plugin.signature.as_str()));
    draft.fields.set("capabilities", || capabilities(&plugin.capabilities));
    draft.fields.set("yanked", || plugin.yanked);
    if let Some(owner) = &plugin.tenant {
        draft.fields.set("tenant", || tenant(owner));
    }
    draft
}

/// The running step: who it works for, and what the installer granted it.
pub(crate) fn step<'n>(subject: &StepSubject, needs: &'n Needs) -> Draft<'n> {
    let execution = subject.execution.to_string();
    let own = uid(&WORDS.step, format!("{execution}/{}", subject.step));
    let mut draft = Draft::new(own, needs).within([uid(&WORDS.execution, execution)]);
    let by = &subject.requested_by;
    draft.fields.set("tenant", || tenant(&subject.tenant));
    draft.fields.set("environment", || WORDS.environment(subject.environment));
    draft.fields.set("dryRun", || subject.dry_run);
    draft.fields.set("action", || action_uid(&subject.action));
    draft.fields.set(by_kind(by, "requestedBy", "requestedByAccount"), || requester(by));
    draft.fields.set("publisherTrust", || uid(&WORDS.trust, subject.action.trust.as_str()));
    draft.fields.set("signature", || uid(&WORDS.signature, subject.action.signature.as_str()));
    draft.fields.set("capabilities", || capabilities(&subject.action.grant.capabilities));
    draft.fields.set("allowedHosts", || allowed_hosts(subject));
    draft
}

/// The action that a step is about to run.
pub(crate) fn plugin_action<'n>(action: &ActionEntry, needs: &'n Needs) -> Draft<'n> {
    let parents = [plugin_uid(&action.plugin), namespace(&action.plugin)];
    let mut draft = Draft::new(action_uid(action), needs).within(parents);
    draft.fields.set("publisherTrust", || uid(&WORDS.trust, action.trust.as_str()));
    draft.fields.set("signature", || uid(&WORDS.signature, action.signature.as_str()));
    draft.fields.set("capabilities", || capabilities(&action.grant.capabilities));
    draft.fields.set("sideEffects", || action.manifest.side_effects);
    draft.fields.set("supportsDryRun", || action.manifest.dry_run);
    draft.fields.set("reversible", || action.manifest.reversible);
    draft
}

/// Where a request goes. It is in the step's host set when a pattern of the grant covers it.
pub(crate) fn endpoint<'n>(
    subject: &StepSubject,
    call: &HttpCall<'_>,
    needs: &'n Needs,
) -> Result<Draft<'n>, Unfit> {
    let scheme = if call.tls { "https" } else { "http" };
    let own = uid(&WORDS.endpoint, format!("{scheme}://{}:{}", call.host, call.port));
    let mut draft = Draft::new(own, needs).within(call.granted.then(|| allowed_hosts(subject)));
    draft.fields.set("host", || call.host);
    draft.fields.set("port", || i64::from(call.port));
    draft.fields.set("tls", || call.tls);
    draft.fields.parse("ip", &WORDS.ip, || address(call.ip))?;
    draft.fields.set("addressClass", || uid(&WORDS.address_class, call.address_class.as_str()));
    Ok(draft)
}

pub(crate) fn plugin_uid(id: &str) -> Uid {
    uid(&WORDS.plugin, id)
}

fn action_uid(action: &ActionEntry) -> Uid {
    uid(&WORDS.plugin_action, format!("{}/{}", action.plugin, action.manifest.name))
}

fn namespace(plugin: &str) -> Uid {
    uid(&WORDS.namespace, plugin.split(':').next().unwrap_or(plugin))
}

/// The hosts of one installation.
fn allowed_hosts(subject: &StepSubject) -> Uid {
    uid(&WORDS.host_set, format!("{}/{}", subject.tenant, subject.action.plugin))
}

fn principal(kind: PrincipalKind, id: &str) -> Uid {
    uid(caller_type(kind), id)
}

fn requester(requester: &Requester) -> Uid {
    principal(requester.kind, requester.id.as_str())
}

/// Cedar has no "one of two types": each kind has its own optional attribute.
fn by_kind(requester: &Requester, person: &'static str, account: &'static str) -> &'static str {
    match requester.kind {
        PrincipalKind::User => person,
        PrincipalKind::ServiceAccount => account,
    }
}

fn tenant(id: &TenantId) -> Uid {
    uid(&WORDS.tenant, id.as_str())
}

fn capabilities(granted: &[Capability]) -> Value {
    Value::set(granted.iter().map(|one| uid(&WORDS.capability, one.as_str()).into()), None)
}
