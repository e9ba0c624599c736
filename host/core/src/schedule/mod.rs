//! Schedules: when an intent is started without anybody asking, and what becomes of each due time.
//!
//! `calendar` says which instants a line of cron means in a time zone, `decide` what is to be done at a time, `state`
//! what has become of the due times so far. Nothing here reads a clock or starts anything.

mod calendar;
mod check;
mod cron;
mod decide;
mod document;
mod identity;
mod state;
mod zone;

pub use check::{DUE_LABEL, NAME_LABEL, RESERVED_LABELS, Schedule};
pub use decide::{Act, RUNNING_MAX};
pub use document::ScheduleDocument;
pub use identity::execution_id;
pub use state::{Counts, LastError, LastStart, Outcome, Progress, ScheduleState};
