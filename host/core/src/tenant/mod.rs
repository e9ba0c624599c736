//! What a tenant's administrator sets for the whole tenant: names of targets, limits, how long executions are kept.
//!
//! Settings of one installation are `installation`'s.

mod limits;
mod recordings;
mod retention;
mod schema;
mod settings;

use std::collections::BTreeMap;

use crate::vocabulary::Environment;

pub use limits::{
    EXECUTIONS_QUEUED_DEFAULT, PRIORITY_HIGHEST, TARGETS_MAX, TenantLimits, WEIGHT_DEFAULT, WEIGHT_MAX,
};
pub use recordings::{RECORD_LABEL, Recorded, Recordings};
pub use retention::{EXECUTIONS_DAYS_DEFAULT, EXECUTIONS_DAYS_MAX, Retention};
pub use schema::settings_schema;
pub use settings::TenantSettings;

/// A tenant's own names of places, with the class of each.
pub type Targets = BTreeMap<String, Environment>;
