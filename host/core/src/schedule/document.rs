//! The document of a schedule, as it is written and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::time::Timestamp;
use crate::vocabulary::Overlap;

/// What is started, when, and what happens where times collide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleDocument {
    /// `name` (the version that is active at the time), `name-vN`, or the uid.
    pub intent: String,
    #[serde(default)]
    pub input: Map<String, Value>,
    /// Of the executions.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Five fields, or a word such as `@hourly`.
    pub cron: String,
    /// A name of the IANA database.
    pub time_zone: String,
    pub overlap: Overlap,
    /// Due times that are made up when nobody could start them in time.
    pub catch_up: u32,
    /// How much later than due an execution starts at most: seconds, or a text such as `90s`.
    #[serde(default)]
    pub jitter: Option<Value>,
    /// The first instant that can be due.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// The first instant that cannot be due any more.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}
