//! Which instants a line means in a time zone, where clocks are set forward and back.
//!
//! A line whose hour field leaves out an hour names hours: each of its times happens once a day. What lies in an hour
//! that is skipped is due at the first instant after it; what happens twice is due the first time. A line of all hours
//! follows the time that passes: it is due whenever the clock on the wall shows one of its times, so never in an hour
//! that is skipped, and in both of a doubled one.

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::cron::CronLine;
use super::zone;
use crate::problem::Finding;
use crate::time::Timestamp;

#[derive(Debug, Clone)]
pub(super) struct Calendar {
    line: CronLine,
    zone: TimeZone,
}

impl Calendar {
    /// Err: everything that is wrong with the two.
    pub fn parse(line: &str, time_zone: &str) -> Result<Self, Vec<Finding>> {
        match (CronLine::parse(line), zone::find(time_zone)) {
            (Ok(line), Ok(zone)) => Ok(Self { line, zone }),
            (line, zone) => Err(line.err().into_iter().chain(zone.err()).map(|finding| *finding).collect()),
        }
    }

    /// The first due time after `after`. None: there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Instant::from_millisecond(after.as_millis()).ok()?;
        let due = if self.line.is_every_hour() { self.passing(after) } else { self.named(after) }?;
        Some(Timestamp::from_millis(due.as_millisecond()))
    }

    /// As the clock on the wall shows it, with its offset.
    pub fn local(&self, at: Timestamp) -> String {
        match Instant::from_millisecond(at.as_millis()) {
            Ok(at) => at.to_zoned_datetime(self.zone.clone()).to_string(),
            Err(_) => at.to_string(),
        }
    }

    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Of a line that names hours.
    fn named(&self, after: Instant) -> Option<Instant> {
        let mut wall = self.zone.to_datetime(after);
        loop {
            wall = self.line.next(wall, false)?;
            // In the second of two equal hours, the wall's next times have happened already.
            if let Some(due) = self.first_instant(wall).filter(|due| *due > after) {
                return Some(due);
            }
        }
    }

    /// When the wall shows this time first; if it never does, the instant at which it has passed.
    fn first_instant(&self, wall: DateTime) -> Option<Instant> {
        let shown = self.zone.to_ambiguous_timestamp(wall);
        match shown.offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(wall).ok()
            }
            AmbiguousOffset::Gap { before, .. } => {
                let passed = before.to_timestamp(wall).ok()?;
                // The clock was set forward at this instant, or shortly before it.
                let until = passed.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
                self.zone.preceding(until).next().map(|set| set.timestamp())
            }
        }
    }

    /// Of a line of all hours: stretch by stretch in which the clock is not set.
    fn passing(&self, after: Instant) -> Option<Instant> {
        let (mut from, mut inclusive) = (after, false);
        loop {
            let offset = self.zone.to_offset(from);
            let due = self.line.next(offset.to_datetime(from), inclusive)?;
            let due = offset.to_timestamp(due).ok()?;
            match self.zone.following(from).next() {
                Some(set) if set.timestamp() <= due => (from, inclusive) = (set.timestamp(), true),
                _ => return Some(due),
            }
        }
    }
}
