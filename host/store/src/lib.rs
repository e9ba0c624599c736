//! Everything that must survive: SQLite or PostgreSQL with a group-commit journal, blobs by digest, the archive of
//! executions.
//!
//! Commits of executions go through one thread (`writer`), which makes whatever is queued durable in one transaction. On
//! SQLite all other writes do, too. Tenant tables are reached through a [`TenantScope`] only. Nothing is decided here, and
//! nothing of the engine or HTTP is known.

mod access;
mod announcements;
mod archive;
mod artifacts;
mod backup;
mod blobs;
mod blueprints;
mod bucket;
mod commands;
#[doc(hidden)]
pub mod conformance;
mod database;
mod draft_file;
mod error;
mod executions;
mod idempotency;
mod installations;
mod intents;
mod journal;
mod key_value;
mod logs;
mod migration;
mod nodes;
mod page;
mod platform;
mod postgres;
mod schedules;
mod scope;
mod secrets;
mod sqlite;
mod stats;
mod store;
mod tenant_settings;
mod transfer;
mod usage;
mod writer;

pub use announcements::Announcement;
pub use archive::{Archive, ArchiveWriter};
pub use artifacts::{
    ArtifactFilter, ArtifactQuota, Artifacts, Holder, NamedArtifact, NewArtifact, StoredArtifact, Usage,
};
pub use backup::{SnapshotContents, newest_schema, snapshot, snapshot_contents};
pub use blobs::{BlobReader, BlobWriter, Blobs, blob_file};
pub use blueprints::{BlueprintChange, BlueprintRecord, BlueprintSummary, Blueprints};
#[doc(hidden)]
pub use bucket::Secret;
pub use bucket::{Bucket, BucketAddress, BucketError, BucketObject, BucketOptions, InvalidAddress, Trouble};
pub use commands::{Commands, NewCommand, TakenCommand};
pub use error::{CommitError, Error, Unavailable};
pub use executions::{
    EndKey, ExecutionFilter, ExecutionKey, ExecutionRow, Executions, StoredExecution, Turn,
};
pub use idempotency::{Idempotency, IdempotencyKey, IdempotencyRecord, StoredResponse};
pub use installations::{Installation, Installations};
pub use intents::{
    Change, CreateOutcome, IntentFilter, IntentRecord, IntentSummary, Intents, NewIntent, NewVersion,
    VersionSummary,
};
pub use journal::{Commit, CommitOutcome, EncodedEvent, Journal, NewExecution, RowUpdate, SharedPlan};
pub use key_value::{Expected, KeyValue, KeyValueQuota, KeyValueWrite, StoredValue};
pub use logs::{LogFilter, LogRow, Logs};
pub use nodes::{Beat, NodeRecord, NodeRow, Nodes, Reader};
pub use page::{Page, PageRequest};
pub use platform::{Loaded, Membership, Platform, Tenant, Unread};
pub use postgres::{Finding, Login, PostgresOptions, inspect, prepare};
pub use schedules::{
    NewSchedule, ScheduleChange, ScheduleContent, ScheduleKey, ScheduleMark, ScheduleRow, ScheduleTarget,
    Schedules,
};
pub use scope::TenantScope;
pub use secrets::{SealedSecret, SecretRow, Secrets, StoredSecret, TenantKey};
pub use stats::Stats;
pub use store::{Health, Store, StoreOptions};
pub use tenant_settings::{NewSettings, Settings, SettingsInForce, StoredSettings};
pub use transfer::{
    ComparedTable, Difference, TransferError, TransferOptions, TransferStep, Transferred, transfer,
};
pub use usage::{UsageFilter, UsageGroup, UsageOf, UsageRow};
#[doc(hidden)]
pub use writer::{Fault, Faults};
