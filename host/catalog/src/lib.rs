//! Use cases on stored things: intents with their versions, blueprints, plans, schedules, tenants with their members and
//! settings, installed plugins, and what steps store: artifacts, values, secrets.
//!
//! Nothing is executed here, no id is made and no clock is read: both are arguments. Whether a caller may do what it
//! asks is decided before, by the api.

mod blueprints;
mod catalog;
mod directory;
mod effects;
mod error;
mod installations;
mod intents;
mod kept;
mod plans;
mod schedules;
mod settings;
mod tenants;

pub use blueprints::{
    BlueprintAct, BlueprintOutcome, Blueprints, Condition, StoredBlueprint, WrittenBlueprint,
};
pub use catalog::Catalog;
pub use directory::{Bundled, Directory, InstalledPlugin, Origin, Snapshot};
pub use effects::{
    Artifacts, Collected, EffectOptions, Effects, KeptRecordings, Naming, NewSecret, Now, Reach, SecretInfo,
    SecretValue, Secrets, Upload, Vault, VaultError, check_artifact_name,
};
pub use error::Error;
pub use installations::{CapabilityDiff, Consent, Install, Installations, Installed, grant};
pub use intents::{
    Act, Activation, Creation, DiffOp, Difference, Intents, NewDocument, StoredIntent, Written, version_id,
};
pub use plans::{Purpose, RunnablePlan};
pub use quantum_store::{
    ArtifactFilter, ArtifactQuota, BlueprintSummary, Holder, IdempotencyKey, IdempotencyRecord, IntentFilter,
    IntentSummary, KeyValueQuota, Membership, NamedArtifact, Page, PageRequest, SettingsInForce,
    StoredArtifact, StoredResponse, Tenant, Usage, VersionSummary,
};
pub use schedules::{DueTime, ScheduleAct, ScheduleDraft, Schedules, StoredSchedule};
pub use settings::Settings;
pub use tenants::Tenants;
