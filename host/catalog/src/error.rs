//! Why a use case did not happen. A refused one changed nothing.

use quantum_core::id::{IntentName, ScheduleName, TenantId};
use quantum_core::limits::DOCUMENT_BYTES_MAX;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Role;
use quantum_store::{Error as StoreError, StoredResponse};

use crate::effects::VaultError;
use crate::installations::CapabilityDiff;

/// Expected refusals have a stable code and a hint; the api gives them a status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the document has {}", errors(findings))]
    Invalid { findings: Vec<Finding> },
    #[error("the definition has {bytes} bytes, at most {DOCUMENT_BYTES_MAX} are stored")]
    TooLarge { bytes: usize },
    #[error("the intent \"{name}\" exists already, with another document")]
    NameTaken { name: IntentName, id: String, archived: bool },
    #[error("the document is named \"{document}\", the intent \"{name}\"")]
    Renamed { name: IntentName, document: String },
    #[error("{kind} \"{name}\" does not exist")]
    NotFound { kind: &'static str, name: String },
    /// `If-Match` names an earlier revision.
    #[error("it is at revision {current} by now")]
    RevisionConflict { current: u64 },
    /// A change without `If-Match`, of something that is there.
    #[error("the blueprint \"{name}\" is there already, so a change must say what it is based on")]
    ConditionNeeded { name: IntentName },
    /// It was changed again and again while it was read.
    #[error("\"{name}\" is being changed by others all the time")]
    Busy { name: String },
    #[error("the intent \"{name}\" is archived, so it is read-only")]
    Archived { name: IntentName },
    #[error("the intent \"{name}\" is paused, so it takes no executions")]
    Paused { name: IntentName },
    #[error("the intent \"{name}\" has no steps, so there is nothing to execute")]
    NoSteps { name: IntentName },
    #[error("the intent \"{name}\" has no active version, only drafts")]
    NoActiveVersion { name: IntentName, latest: u32 },
    /// The answer that was given under the key.
    #[error("the idempotency key was used before")]
    IdempotencyTaken(Box<StoredResponse>),
    #[error("\"{text}\" is not a page token")]
    PageToken { text: String },
    #[error("the tenant \"{id}\" exists already")]
    TenantExists { id: TenantId },
    #[error("\"{role}\" is not a role")]
    UnknownRole { role: String },
    #[error("the plugin's manifest has {}", errors(findings))]
    InvalidManifest { findings: Vec<Finding> },
    #[error("what was allowed to the plugin \"{plugin}\" has {}", errors(findings))]
    InvalidConsent { plugin: String, findings: Vec<Finding> },
    #[error("{plugin} {version} asks for more than the installed version may do: {}", diff.gains().join(", "))]
    ConsentNeeded { plugin: String, version: String, diff: Box<CapabilityDiff> },
    #[error("{plugin} {version} is installed already, from another component")]
    VersionTaken { plugin: String, version: String },
    #[error("the plugin \"{plugin}\" comes with the host, so it cannot be uninstalled")]
    BundledPlugin { plugin: String },
    #[error("an artifact has at most {bytes_max} bytes, and this one has more")]
    ArtifactTooLarge { bytes_max: u64 },
    /// `used` counts what is there already.
    #[error("{what}: {used} are kept, and at most {max}")]
    Quota { what: &'static str, used: u64, max: u64 },
    #[error("bytes of artifacts that the tenant is writing at this time: {used}, and at most {max}")]
    TooManyUnfinished { used: u64, max: u64 },
    #[error("\"{name}\" is not a {kind}: {rule}")]
    InvalidName { kind: &'static str, name: String, rule: &'static str },
    #[error("the secret \"{name}\" has {}", errors(findings))]
    InvalidSecret { name: String, findings: Vec<Finding> },
    #[error("the settings have {}", errors(findings))]
    InvalidSettings { findings: Vec<Finding> },
    #[error("the tenant's settings are being changed by others all the time")]
    BusySettings,
    #[error("the schedule has {}", errors(findings))]
    InvalidSchedule { findings: Vec<Finding> },
    #[error("the schedule \"{name}\" exists already")]
    ScheduleExists { name: ScheduleName },
    #[error("open the tenant's secrets")]
    Vault(#[source] VaultError),
    #[error(transparent)]
    Store(StoreError),
}

impl Error {
    /// Kebab-case, with a page under docs/errors.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid-document",
            Self::TooLarge { .. } => "document-too-large",
            Self::NameTaken { .. } => "name-taken",
            Self::Renamed { .. } => "name-differs",
            Self::NotFound { .. } => "not-found",
            Self::RevisionConflict { .. } => "revision-conflict",
            Self::Busy { .. } | Self::BusySettings => "busy",
            Self::ConditionNeeded { .. } => "if-match-required",
            Self::Archived { .. } => "intent-archived",
            Self::Paused { .. } => "intent-paused",
            Self::NoSteps { .. } => "no-steps",
            Self::NoActiveVersion { .. } => "no-active-version",
            Self::IdempotencyTaken(_) => "idempotency-key-used",
            Self::PageToken { .. } => "invalid-page-token",
            Self::TenantExists { .. } => "tenant-exists",
            Self::UnknownRole { .. } => "unknown-role",
            Self::InvalidManifest { .. } => "invalid-manifest",
            Self::InvalidConsent { .. } => "invalid-consent",
            Self::ConsentNeeded { .. } => "consent-needed",
            Self::VersionTaken { .. } => "version-taken",
            Self::BundledPlugin { .. } => "plugin-bundled",
            Self::ArtifactTooLarge { .. } => "artifact-too-large",
            Self::Quota { .. } | Self::TooManyUnfinished { .. } => "quota",
            Self::InvalidName { .. } => "invalid-name",
            Self::InvalidSecret { .. } => "invalid-secret",
            Self::InvalidSettings { .. } => "invalid-settings",
            Self::InvalidSchedule { .. } => "invalid-schedule",
            Self::ScheduleExists { .. } => "schedule-exists",
            Self::Store(StoreError::Unavailable(_) | StoreError::Bucket(_)) => "store-unavailable",
            Self::Vault(_) | Self::Store(_) => "store",
        }
    }

    /// What to do instead. None: nothing that the caller could do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Invalid { .. } => "each finding says where and what would be accepted".to_owned(),
            Self::TooLarge { .. } => "put what is large into an artifact and name it in the definition".to_owned(),
            Self::NameTaken { archived: true, .. } => "names are never reused: choose another one".to_owned(),
            Self::NameTaken { name, .. } => format!("change it with PUT /api/v1/intents/{name}, or choose another name"),
            Self::Renamed { name, .. } => {
                format!("an intent keeps its name: write \"{name}\", or create another intent with POST")
            }
            Self::NotFound { kind, .. } => format!("list what is there: {}", listing(kind)),
            Self::RevisionConflict { .. } => "read it again, repeat the change and send its new ETag".to_owned(),
            Self::Busy { .. } | Self::BusySettings => "try again, with If-Match to see what changed".to_owned(),
            Self::ConditionNeeded { .. } => "send If-Match with the ETag that you read, or *".to_owned(),
            Self::Archived { .. } => "create an intent under another name with POST /api/v1/intents".to_owned(),
            Self::Paused { name } => format!("resume it with POST /api/v1/intents/{name}/resume"),
            Self::NoSteps { name } => format!(
                "add \"steps\" to its definition with PUT /api/v1/intents/{name}, or store a blueprint named \"{name}\", \
                 which gives it steps: quantum blueprint apply FILE"
            ),
            Self::NoActiveVersion { name, latest } => {
                format!("activate one: POST /api/v1/intents/{name}/versions/{latest}/activate")
            }
            Self::IdempotencyTaken(_) => "use a new key for a new request".to_owned(),
            Self::PageToken { .. } => "start again without one".to_owned(),
            Self::TenantExists { .. } => "use it, or choose another id".to_owned(),
            Self::UnknownRole { role } => role_hint(role),
            Self::InvalidManifest { .. } => "correct it and build again: quantum plugin build".to_owned(),
            Self::InvalidConsent { .. } => "each finding says what to type".to_owned(),
            Self::ConsentNeeded { .. } => "read what is new; to agree, add --accept-gains".to_owned(),
            Self::VersionTaken { .. } => {
                "executions may be pinned to it: raise the version (of a plugin in Rust: in its Cargo.toml), or uninstall the \
                 plugin first"
                    .to_owned()
            }
            Self::BundledPlugin { .. } => {
                "the operator's configuration says which plugins come with the host; an installation of the same id \
                 takes its place"
                    .to_owned()
            }
            Self::ArtifactTooLarge { .. } => "store it in parts, or ask the operator for a larger limit".to_owned(),
            Self::Quota { what, .. } => quota_hint(what).to_owned(),
            Self::TooManyUnfinished { .. } => "try again when other writes have ended".to_owned(),
            Self::InvalidName { kind: "media type", .. } => return None,
            Self::InvalidName { .. } => "names are such as ./app, myapp:latest or reports/today.json".to_owned(),
            Self::InvalidSecret { .. } | Self::InvalidSettings { .. } | Self::InvalidSchedule { .. } => {
                "each finding says what would be accepted".to_owned()
            }
            Self::ScheduleExists { name } => {
                format!("replace it with PUT /api/v1/schedules/{name}, or choose another name")
            }
            Self::Store(StoreError::Unavailable(_) | StoreError::Bucket(_)) => "try again later; the host's log says why".to_owned(),
            Self::Vault(_) | Self::Store(_) => return None,
        };
        Some(hint)
    }

    pub(crate) fn not_found(kind: &'static str, name: impl ToString) -> Self {
        Self::NotFound { kind, name: name.to_string() }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { kind, name } => Self::NotFound { kind, name },
            StoreError::VersionConflict { current } => Self::RevisionConflict { current },
            StoreError::IdempotencyTaken(stored) => Self::IdempotencyTaken(stored),
            StoreError::Cursor { text } => Self::PageToken { text },
            StoreError::OverQuota { what, used, max } => Self::Quota { what, used, max },
            other => Self::Store(other),
        }
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

fn errors(findings: &[Finding]) -> String {
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.is_error()).collect();
    match errors.as_slice() {
        [one] => format!("1 error: {} at \"{}\"", one.message, one.pointer),
        many => format!("{} errors", many.len()),
    }
}

fn listing(kind: &str) -> &'static str {
    match kind {
        "tenant" => "quantum tenant list",
        "plugin" => "quantum plugin list",
        "artifact" => "quantum artifact list",
        "secret" => "quantum secret list",
        "schedule" => "quantum schedule list",
        "blueprint" => "quantum blueprint list",
        "intent version" => "quantum intent versions NAME",
        _ => "quantum intent list",
    }
}

fn quota_hint(what: &str) -> &'static str {
    match what {
        keys if keys.contains("plugin") => "delete keys that are not needed, or give them a time to live",
        secrets if secrets.contains("secrets") => "remove some: quantum secret list",
        schedules if schedules.contains("schedules") => "remove some: quantum schedule list",
        names if names.contains("execution") => "use fewer names in one execution",
        _ => "remove some: quantum artifact list",
    }
}

fn role_hint(role: &str) -> String {
    let known = || Role::ALL.iter().map(|role| role.as_str());
    match quantum_core::problem::nearest(role, known()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("roles: {}", known().collect::<Vec<_>>().join(", ")),
    }
}
