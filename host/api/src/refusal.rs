//! From the errors of the rooms below to problems: the one place that gives them a code and a status.

use quantum_catalog::Error as CatalogError;
use quantum_core::machine::Refusal;
use quantum_engine::{CommandError, Error as EngineError, StartError};
use quantum_marketplace::Error as PluginError;
use quantum_sandbox::Error as SandboxError;
use quantum_store::Error as StoreError;

use crate::codes::{self, Code};
use crate::problem::{Problem, chain};

/// Milliseconds after which a full or stopped store is worth another try.
const STORE_RETRY_MS: u64 = 5_000;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::not_found(),
            StoreError::Text => Self::new(&codes::INVALID_BODY).detail(error.to_string()),
            StoreError::Unavailable(_) => {
                tracing::error!(error = %chain(&error), "the store is not available");
                Self::new(&codes::STORE_UNAVAILABLE)
                    .detail("the store cannot be written now")
                    .retry_after(STORE_RETRY_MS)
            }
            // Blobs are as much of the store as rows are.
            StoreError::Bucket(_) => {
                tracing::error!(error = %chain(&error), "the bucket is not available");
                Self::new(&codes::STORE_UNAVAILABLE)
                    .detail("blobs cannot be read or written now")
                    .retry_after(STORE_RETRY_MS)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        match error {
            CatalogError::Store(store) => store.into(),
            CatalogError::Vault(_) => Self::internal(&error),
            CatalogError::NotFound { .. } => Self::not_found(),
            error => {
                let problem = Self::new(catalog_code(&error)).detail(detail);
                let problem = match hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                };
                match error {
                    CatalogError::Invalid { findings }
                    | CatalogError::InvalidManifest { findings }
                    | CatalogError::InvalidConsent { findings, .. }
                    | CatalogError::InvalidSecret { findings, .. }
                    | CatalogError::InvalidSettings { findings }
                    | CatalogError::InvalidSchedule { findings } => problem.findings(findings),
                    _ => problem,
                }
            }
        }
    }
}

fn catalog_code(error: &CatalogError) -> &'static Code {
    match error {
        CatalogError::Invalid { .. } => &codes::INVALID_DOCUMENT,
        CatalogError::TooLarge { .. } => &codes::DOCUMENT_TOO_LARGE,
        CatalogError::NameTaken { .. } => &codes::NAME_TAKEN,
        CatalogError::Renamed { .. } => &codes::NAME_DIFFERS,
        CatalogError::RevisionConflict { .. } => &codes::REVISION_CONFLICT,
        CatalogError::Busy { .. } | CatalogError::BusySettings => &codes::BUSY,
        CatalogError::ConditionNeeded { .. } => &codes::IF_MATCH_REQUIRED,
        CatalogError::Archived { .. } => &codes::INTENT_ARCHIVED,
        CatalogError::Paused { .. } => &codes::INTENT_PAUSED,
        CatalogError::NoSteps { .. } => &codes::NO_STEPS,
        CatalogError::NoActiveVersion { .. } => &codes::NO_ACTIVE_VERSION,
        CatalogError::IdempotencyTaken(_) => &codes::IDEMPOTENCY_MISMATCH,
        CatalogError::PageToken { .. } => &codes::INVALID_PAGE_TOKEN,
        CatalogError::TenantExists { .. } => &codes::TENANT_EXISTS,
        CatalogError::UnknownRole { .. } => &codes::UNKNOWN_ROLE,
        CatalogError::InvalidManifest { .. } => &codes::INVALID_MANIFEST,
        CatalogError::InvalidConsent { .. } => &codes::INVALID_CONSENT,
        CatalogError::ConsentNeeded { .. } => &codes::CONSENT_NEEDED,
        CatalogError::VersionTaken { .. } => &codes::VERSION_TAKEN,
        CatalogError::BundledPlugin { .. } => &codes::PLUGIN_BUNDLED,
        CatalogError::ArtifactTooLarge { .. } => &codes::ARTIFACT_TOO_LARGE,
        CatalogError::Quota { .. } | CatalogError::TooManyUnfinished { .. } => &codes::QUOTA,
        CatalogError::InvalidName { .. } => &codes::INVALID_NAME,
        CatalogError::InvalidSecret { .. } => &codes::INVALID_SECRET,
        CatalogError::InvalidSettings { .. } => &codes::INVALID_SETTINGS,
        CatalogError::InvalidSchedule { .. } => &codes::INVALID_SCHEDULE,
        CatalogError::ScheduleExists { .. } => &codes::SCHEDULE_EXISTS,
        CatalogError::NotFound { .. } => &codes::NOT_FOUND,
        CatalogError::Vault(_) | CatalogError::Store(_) => &codes::INTERNAL,
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(store) => store.into(),
            newer if newer.is_of_newer() => {
                tracing::warn!(error = %chain(&newer), "what is asked for is not understood");
                Self::unavailable("a newer program wrote this; ask a node that runs it", STORE_RETRY_MS)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Input(findings) => Self::new(&codes::INVALID_INPUT)
                .detail("the input does not fit the intent's schema")
                .findings(findings),
            StartError::IdempotencyTaken(_) => Self::new(&codes::IDEMPOTENCY_MISMATCH),
            StartError::Unavailable { reason, retry_after_ms } => Self::unavailable(&reason, retry_after_ms),
            StartError::Limit { reason } => Self::new(&codes::CONCURRENCY_LIMIT).detail(reason),
            StartError::Quota { reached, retry_after_ms } => {
                let limit = reached.limit;
                let hint =
                    format!("wait until then, or raise it: quantum settings set limits.{limit}=NUMBER");
                let problem = Self::new(&codes::QUOTA_USED_UP).detail(reached.to_string()).hint(hint);
                problem.retry_after(retry_after_ms)
            }
            StartError::Backlog { reason, retry_after_ms } => {
                Self::new(&codes::BACKLOG_FULL).detail(reason).retry_after(retry_after_ms)
            }
            StartError::Key(problem) => {
                let hint = "the input must give concurrency.key a value";
                Self::new(&codes::INVALID_INPUT).detail(problem.message).hint(hint)
            }
            StartError::Replay(problem) => Self::new(&codes::NOT_REPLAYABLE).detail(problem.message),
            StartError::NotFound => Self::not_found(),
            StartError::Failed(error) => error.into(),
            other @ StartError::Encode(_) => Self::internal(&other),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NotFound => Self::not_found(),
            CommandError::Refused(refusal) => refused(&refusal),
            CommandError::Unavailable { reason, retry_after_ms } => {
                Self::unavailable(&reason, retry_after_ms)
            }
            moved @ CommandError::Moved => Self::unavailable(&moved.to_string(), 1_000),
            CommandError::Failed(error) => error.into(),
            CommandError::Limit { reason } => Self::new(&codes::CONCURRENCY_LIMIT).detail(reason),
        }
    }
}

/// A command that the state of the execution does not take.
fn refused(refusal: &Refusal) -> Problem {
    let code = match refusal {
        Refusal::AlreadyEnded => &codes::EXECUTION_ENDED,
        Refusal::AlreadyCancelling => &codes::CANCEL_REQUESTED,
        Refusal::Compensating => &codes::EXECUTION_COMPENSATING,
        Refusal::SignalNotExpected { .. } => &codes::SIGNAL_NOT_EXPECTED,
        Refusal::SignalInvalid { findings, .. } => {
            let problem = Problem::new(&codes::SIGNAL_INVALID).detail(refusal.to_string());
            return problem.findings(findings.clone());
        }
        Refusal::ApprovalNotExpected { .. } | Refusal::ApprovalAmbiguous(_) => &codes::APPROVAL_NOT_EXPECTED,
        Refusal::ApprovalByRequester => &codes::APPROVAL_BY_REQUESTER,
        Refusal::ApprovalTwice(_) => &codes::APPROVAL_TWICE,
        Refusal::NotRunning(_) | Refusal::NotStarted | Refusal::Failing => &codes::EXECUTION_NOT_RUNNING,
        Refusal::NotPaused(_) => &codes::EXECUTION_NOT_PAUSED,
        Refusal::NotRestartable(_) | Refusal::Undone => &codes::NOT_RESTARTABLE,
        Refusal::AlreadyStarted
        | Refusal::UnknownStep(_)
        | Refusal::NotReady(_)
        | Refusal::StaleAttempt { .. } => return Problem::internal(refusal),
    };
    Problem::new(code).detail(refusal.to_string())
}

impl From<PluginError> for Problem {
    fn from(error: PluginError) -> Self {
        Self::new(&codes::INVALID_PLUGIN).detail(chain(&error))
    }
}

impl From<SandboxError> for Problem {
    fn from(error: SandboxError) -> Self {
        let code = match error.code() {
            "internal" => return Self::internal(&error),
            "compile-timeout" => &codes::COMPILE_TIMEOUT,
            "compile-memory" => &codes::COMPILE_MEMORY,
            "compiler-crashed" => &codes::COMPILER_CRASHED,
            "plugin-does-not-start" => &codes::PLUGIN_DOES_NOT_START,
            _ => &codes::INVALID_PLUGIN,
        };
        Self::new(code).detail(error.to_string())
    }
}
