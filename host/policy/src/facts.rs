//! What a decision about a person or a service account is made of. Everything comes from verified tokens and stored
//! rows; nothing here is read from a request unchecked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use quantum_core::id::{ExecutionId, IntentUid, PrincipalId, TenantId};
use quantum_core::port::{PrincipalKind, Requester};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{
    AuthMethod, Capability, Environment, ExecutionStatus, IntentStatus, Role, Signature, Trust,
};

/// Who asks: a membership of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub id: PrincipalId,
    pub kind: PrincipalKind,
    /// The tenant that the caller acts in.
    pub tenant: TenantId,
    pub roles: BTreeSet<Role>,
    /// False: the account or the membership is disabled.
    pub active: bool,
    pub auth: Auth,
    /// Where a service account may act; empty for people.
    pub environments: BTreeSet<Environment>,
}

/// How the caller proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    pub method: AuthMethod,
    /// A second factor was used.
    pub mfa: bool,
    /// Since the credential was proven.
    pub age_seconds: u64,
    /// Of the token; empty: not limited.
    pub scopes: BTreeSet<String>,
}

/// What is asked for. Creation and lists are asked of the tenant.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    Tenant(&'a TenantId),
    Intent(IntentFacts<'a>),
    Execution(ExecutionFacts<'a>),
    Secret(SecretFacts<'a>),
    /// The host itself.
    Platform,
}

/// A secret of one environment, stored or about to be.
#[derive(Debug, Clone, Copy)]
pub struct SecretFacts<'a> {
    pub tenant: &'a TenantId,
    pub name: &'a str,
    pub environment: Environment,
    pub expires_at: Option<Timestamp>,
}

/// A stored intent.
#[derive(Debug, Clone, Copy)]
pub struct IntentFacts<'a> {
    pub tenant: &'a TenantId,
    pub uid: IntentUid,
    pub owner: Option<&'a Requester>,
    pub environment: Environment,
    pub status: IntentStatus,
    pub labels: &'a BTreeMap<String, String>,
}

/// A stored execution.
#[derive(Debug, Clone, Copy)]
pub struct ExecutionFacts<'a> {
    pub tenant: &'a TenantId,
    pub id: ExecutionId,
    pub intent: IntentUid,
    pub intent_status: IntentStatus,
    pub environment: Environment,
    pub status: ExecutionStatus,
    pub requested_by: &'a Requester,
    pub dry_run: bool,
    pub labels: &'a BTreeMap<String, String>,
}

/// The circumstances, read once a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub now: Timestamp,
    /// The client's address; none for callers inside the process.
    pub ip: Option<IpAddr>,
    /// Of the new intent. `intent.create` is refused without it.
    pub environment: Option<Environment>,
    /// The plugin in question. `plugin.install` and `plugin.uninstall` are refused without it.
    pub plugin: Option<PluginFacts>,
    pub change: Change,
}

impl Context {
    /// Nothing known but the time.
    pub fn at(now: Timestamp) -> Self {
        Self { now, ip: None, environment: None, plugin: None, change: Change::default() }
    }
}

/// Facts about a change of something that runs. By default: no window is open, nothing is frozen, nobody approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    pub in_change_window: bool,
    pub frozen: bool,
    /// Distinct people other than the requester.
    pub approvals: u32,
    pub ticket: Option<String>,
}

/// A plugin that is to be installed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFacts {
    /// `namespace:name`.
    pub id: String,
    /// None: of the shared catalogue.
    pub tenant: Option<TenantId>,
    pub trust: Trust,
    pub signature: Signature,
    /// The declared ones.
    pub capabilities: Vec<Capability>,
    pub yanked: bool,
}
