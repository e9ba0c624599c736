//! Use cases on stored things: intents with their versions, plans, tenants with their members, installed plugins.
//!
//! Nothing is executed here, no id is made and no clock is read: both are arguments. Whether a caller may do what it
//! asks is decided before, by the api.

mod catalog;
mod directory;
mod error;
mod installations;
mod intents;
mod kept;
mod plans;
mod tenants;

pub use catalog::Catalog;
pub use directory::{Bundled, Directory, InstalledPlugin, Origin, Snapshot};
pub use error::Error;
pub use installations::{CapabilityDiff, Consent, Install, Installations, Installed, grant};
pub use intents::{
    Act, Activation, Creation, DiffOp, Difference, Intents, NewDocument, StoredIntent, Written, version_id,
};
pub use plans::{Purpose, RunnablePlan};
pub use quantum_store::{
    IdempotencyKey, IdempotencyRecord, IntentFilter, IntentSummary, Membership, Page, PageRequest,
    StoredResponse, Tenant, VersionSummary,
};
pub use tenants::Tenants;
