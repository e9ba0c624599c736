//! Schedules: which instants a line means, what is wrong with a document, and what becomes of each due time.

mod daylight;
mod documents;
mod model;
mod oracle;

use std::collections::BTreeMap;

use quantum_core::schedule::{Schedule, ScheduleDocument};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Overlap;

/// A document that is fine but for what a test puts in.
pub fn document(cron: &str, time_zone: &str) -> ScheduleDocument {
    ScheduleDocument {
        intent: "backup".into(),
        input: serde_json::Map::new(),
        labels: BTreeMap::new(),
        cron: cron.into(),
        time_zone: time_zone.into(),
        overlap: Overlap::Skip,
        catch_up: 1,
        jitter: None,
        starts_at: None,
        ends_at: None,
    }
}

pub fn schedule(cron: &str, time_zone: &str) -> Schedule {
    Schedule::read(&document(cron, time_zone)).unwrap()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Due times after `after` and before `before`, as UTC to the minute.
pub fn dues(schedule: &Schedule, after: &str, before: &str) -> Vec<String> {
    let dues = std::iter::successors(schedule.next_due(at(after)), |due| schedule.next_due(*due));
    let dues = dues.take_while(|due| *due < at(before));
    dues.map(|due| due.to_string().get(11..16).unwrap().to_owned()).collect()
}
