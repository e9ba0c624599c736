//! What the engine needs of rooms that it must not know: running an attempt, deciding a start or an effect, finding
//! an action. The server connects them.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{DecisionId, Digest, ExecutionId, IntentName, PrincipalId, StepId, TenantId};
use crate::json::Json;
use crate::manifest::{ActionManifest, HostPattern};
use crate::problem::Problem;
use crate::schema::Schema;
use crate::time::Timestamp;
use crate::vocabulary::{AddressClass, Capability, Environment, Signature, Trust};

/// A future that can be stored; ports are used as trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    /// The installation's configuration for the tenant.
    pub config: Json,
}

/// What the plugin declares and the installer consented to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grant {
    pub capabilities: Vec<Capability>,
    pub hosts: Vec<HostPattern>,
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

/// Decides whether a step may start. No IO, no lock.
pub trait StepGate: Send + Sync + 'static {
    fn step_start(&self, subject: &StepSubject, attempt: u32, now: Timestamp) -> Verdict;
}

/// Decides each effect of a running step. No IO, no lock.
pub trait EffectGate: Send + Sync + 'static {
    fn http_request(&self, subject: &StepSubject, call: &HttpCall<'_>, now: Timestamp) -> Verdict;
}

/// One outgoing request, after resolution and before the connection.
#[derive(Debug, Clone, Copy)]
pub struct HttpCall<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub path: &'a str,
    pub tls: bool,
    pub ip: IpAddr,
    pub address_class: AddressClass,
    /// A pattern of the grant covers it.
    pub granted: bool,
    pub attempt: u32,
}

/// Runs attempts. Dropping the future ends the attempt.
pub trait StepRunner: Send + Sync + 'static {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport>;
}

/// All that a runner needs for one try of one step.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub subject: StepSubject,
    pub intent: IntentName,
    /// From 1.
    pub number: u32,
    /// The same for all attempts of the step.
    pub idempotency_key: String,
    /// JSON text that fits the action's parameter schema.
    pub parameters: String,
    /// Milliseconds for this attempt; over it the outcome is `Timeout`.
    pub timeout_ms: u64,
    /// When the timeout falls.
    pub deadline: Timestamp,
    pub trace_parent: Option<String>,
    pub cancel: CancelFlag,
}

/// Raised once when the execution is being cancelled. The guest polls it through `context.cancelled`.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How an attempt ended, and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptReport {
    pub outcome: AttemptOutcome,
    pub bill: Bill,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AttemptOutcome {
    /// The result, parsed; not yet held against the action's result schema.
    Completed(Value),
    Failed(Failure),
    /// The guest saw `cancelled` and stopped.
    Cancelled,
}

/// A failed attempt, told apart in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    pub problem: Problem,
    /// Milliseconds to wait at least, as the other side asked.
    pub retry_after_ms: Option<u64>,
}

/// Why an attempt failed; decides whether another is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The plugin says that trying again is of no use.
    Permanent,
    /// The plugin says that trying again may help.
    Retryable,
    Trap,
    Timeout,
    CpuLimit,
    MemoryLimit,
    /// The result is larger than allowed.
    OutputLimit,
    /// The result is no JSON, or does not fit the action's result schema.
    InvalidOutput,
    /// The policies refused the start.
    Denied,
    /// The plugin is not installed any more, or does not fit this host.
    Unavailable,
    /// The host's own fault; not the plugin's.
    HostFault,
    /// The host died while it ran.
    Lost,
}

/// What one attempt used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bill {
    /// Microseconds on a processor.
    pub cpu_us: u64,
    /// Microseconds from start to end.
    pub wall_us: u64,
    /// Largest sum of all memories and tables.
    pub memory_bytes_peak: u64,
    pub host_calls: u64,
    /// Bytes of outgoing requests and of answers to them.
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// Takes log lines and progress of running attempts; never waits.
pub trait LogSink: Send + Sync + 'static {
    fn write(&self, line: LogLine);
}

/// One line, or one progress report, of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    pub tenant: TenantId,
    pub execution: ExecutionId,
    pub step: StepId,
    pub attempt: u32,
    pub at: Timestamp,
    #[serde(flatten)]
    pub entry: LogEntry,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogEntry {
    StepLog {
        /// trace, debug, info, warn or error.
        level: String,
        message: String,
        #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
        fields: serde_json::Map<String, Value>,
    },
    StepProgress {
        /// 0 to 100.
        percent: u8,
        message: String,
    },
}

/// Bytes of components, by digest.
pub trait ComponentSource: Send + Sync + 'static {
    /// None: no such component is stored.
    fn read(&self, component: &Digest) -> BoxFuture<'static, std::io::Result<Option<Vec<u8>>>>;
}
