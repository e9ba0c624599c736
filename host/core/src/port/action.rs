//! Who asks, what runs, and where its actions come from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{DecisionId, Digest, ExecutionId, PrincipalId, StepId, TenantId};
use crate::installation::SettingsTable;
use crate::manifest::{ActionManifest, HostPattern, SecretDeclaration};
use crate::schema::Schema;
use crate::vocabulary::{Capability, Environment, Signature, Trust};

/// Who asked for something: a person or a service account of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Requester {
    pub id: PrincipalId,
    pub kind: PrincipalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    User,
    ServiceAccount,
}

/// The running step as policies see it.
#[derive(Debug, Clone)]
pub struct StepSubject {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    pub step: StepId,
    pub environment: Environment,
    pub dry_run: bool,
    pub requested_by: Requester,
    pub action: Arc<ActionEntry>,
}

/// An action as an installation of a tenant offers it: what the plugin says, and what the installer allowed.
#[derive(Debug)]
pub struct ActionEntry {
    /// `namespace:name`.
    pub plugin: String,
    pub version: String,
    pub component: Digest,
    pub manifest: ActionManifest,
    pub parameters: Schema,
    pub result: Schema,
    pub trust: Trust,
    pub signature: Signature,
    pub grant: Grant,
    /// What the installer filled in, for each environment.
    pub settings: Arc<SettingsTable>,
}

/// What the plugin declares and the installer consented to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grant {
    pub capabilities: Vec<Capability>,
    pub hosts: Vec<HostPattern>,
    /// Names of what the installer fills with hosts; empty: nobody can add any. The manifest's word, not the consent's.
    #[serde(skip)]
    pub slots: Vec<String>,
    /// Secrets that it may use through placeholders, by the plugin's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretDeclaration>,
    /// Secrets that it may see, by the plugin's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    /// Bytes of one answer's body; none: the sandbox's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes_max: Option<u64>,
    /// Bytes of all memories of an attempt together; none: the sandbox's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<u64>,
}

/// Finds actions among a tenant's installations, from memory.
pub trait ActionDirectory: Send + Sync + 'static {
    /// By the name that a document uses: bare (`http-request`), an alias, or `namespace:name/action`.
    fn resolve(&self, tenant: &TenantId, name: &str) -> Resolution;
    /// By the digest that an execution is pinned to. None: uninstalled since.
    fn pinned(&self, tenant: &TenantId, component: &Digest, action: &str) -> Option<Arc<ActionEntry>>;
    /// Bare names that resolve, for suggestions.
    fn names(&self, tenant: &TenantId) -> Vec<String>;
}

/// What a name means to a tenant.
#[derive(Debug, Clone)]
pub enum Resolution {
    Found(Arc<ActionEntry>),
    Unknown,
    /// Qualified names of the installed actions that share this bare name.
    Ambiguous(Vec<String>),
}

/// An answer of the policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    pub decision: Decision,
}

/// One decision, as journals, logs and refusals name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub id: DecisionId,
    /// Ids of the determining policies.
    pub policies: Vec<String>,
    /// The `@reason` of the first determining forbid; of a default deny, that no policy allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of the policy set that decided, its first 16 hex digits.
    pub policy_version: String,
}
