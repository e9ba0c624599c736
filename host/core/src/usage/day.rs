//! Days as usage is counted by: those of UTC, the same for every node and every tenant.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::time::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Days since the Unix epoch; `YYYY-MM-DD` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Day(i64);

/// Why a text is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no day: write it as 2030-01-31")]
pub struct DayError(String);

impl Day {
    /// The one in which this moment lies.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(DAY_MS))
    }

    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> i64 {
        self.0
    }

    #[must_use]
    pub const fn minus_days(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64))
    }

    /// Its first moment.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(DAY_MS))
    }

    /// The first moment after it.
    pub const fn end(self) -> Timestamp {
        Self(self.0.saturating_add(1)).start()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.start().as_millis()) {
            Ok(at) => write!(f, "{}", TimeZone::UTC.to_datetime(at).date()),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let wrong = || DayError(text.chars().take(40).collect());
        // A time would be taken for its day in some zone or other.
        let date: Date = if text.len() == 10 { text.parse().ok() } else { None }.ok_or_else(wrong)?;
        let midnight = date.to_datetime(Time::midnight());
        let at = TimeZone::UTC.to_timestamp(midnight).map_err(|_| wrong())?;
        Ok(Self::of(Timestamp::from_millis(at.as_millisecond())))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_at_midnight_of_utc() {
        let of = |text: &str| Day::of(Timestamp::parse(text).unwrap());
        let day = of("2026-03-01T23:59:59.999Z");
        assert_eq!((day, day.to_string().as_str()), (of("2026-03-01T00:00:00Z"), "2026-03-01"));
        assert_eq!(of("2026-03-02T00:00:00+01:00"), day);
        assert_eq!(day.end().to_string(), "2026-03-02T00:00:00.000Z");
        assert_eq!(day.minus_days(1).to_string(), "2026-02-28");
        assert_eq!(of("1969-12-31T23:00:00Z").number(), -1);
    }

    #[test]
    fn a_day_reads_as_it_was_written() {
        assert_eq!("2026-03-01".parse::<Day>().unwrap().to_string(), "2026-03-01");
        for wrong in ["", "2026-3-1", "2026-02-30", "20260301", "2026-03-01T00:00:00Z", "+2026-03-0"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
