//! Due times against another way of finding them: every minute is asked.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp as Instant};
use proptest::prelude::*;
use quantum_core::time::Timestamp;

use super::schedule;

const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Santiago",
    "UTC",
];
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A line as what it means, so that the test reads no cron itself.
#[derive(Debug, Clone)]
struct Line {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    weekdays: Option<BTreeSet<i8>>,
}

impl Line {
    fn text(&self) -> String {
        let list = |set: &BTreeSet<i8>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let days = self.weekdays.as_ref().map_or_else(|| "*".to_owned(), list);
        format!("{} {} * * {days}", list(&self.minutes), list(&self.hours))
    }

    fn means(&self, wall: DateTime) -> bool {
        let day = wall.weekday().to_sunday_zero_offset();
        self.minutes.contains(&wall.minute())
            && self.hours.contains(&wall.hour())
            && self.weekdays.as_ref().is_none_or(|days| days.contains(&day))
    }

    fn is_every_hour(&self) -> bool {
        self.hours.len() == 24
    }
}

/// Every minute between the two that is due.
fn every_minute(line: &Line, zone: &TimeZone, from: Instant, to: Instant) -> BTreeSet<Instant> {
    if line.is_every_hour() {
        return minutes(from, to).filter(|at| line.means(zone.to_datetime(*at))).collect();
    }
    // A day more at both ends: what is meant there may be due here.
    let day = SignedDuration::from_hours(24);
    let last = zone.to_datetime(to.checked_add(day).unwrap());
    let mut wall = zone.to_datetime(from.checked_sub(day).unwrap());
    let mut found = BTreeSet::new();
    while wall < last {
        if line.means(wall) {
            found.insert(shown_or_passed(zone, wall));
        }
        wall = wall.checked_add(MINUTE).unwrap();
    }
    found.into_iter().filter(|at| *at > from && *at < to).collect()
}

fn minutes(from: Instant, to: Instant) -> impl Iterator<Item = Instant> {
    let next = move |at: &Instant| Some(at.checked_add(MINUTE).unwrap()).filter(|at| *at < to);
    std::iter::successors(next(&from), next)
}

/// By walking forward from before: the first minute whose wall shows this time, or a later one.
fn shown_or_passed(zone: &TimeZone, wall: DateTime) -> Instant {
    if let AmbiguousOffset::Unambiguous { offset } = zone.to_ambiguous_timestamp(wall).offset() {
        return offset.to_timestamp(wall).unwrap();
    }
    let before = zone.to_ambiguous_timestamp(wall).earlier().unwrap();
    let start = before.checked_sub(SignedDuration::from_hours(3)).unwrap();
    let end = before.checked_add(SignedDuration::from_hours(3)).unwrap();
    minutes(start, end).find(|at| zone.to_datetime(*at) >= wall).unwrap()
}

fn lines() -> impl Strategy<Value = Line> {
    let minutes = prop::collection::btree_set(0_i8..60, 1..4);
    let hours = prop_oneof![
        3 => prop::collection::btree_set(0_i8..24, 1..5),
        1 => Just((0_i8..24).collect::<BTreeSet<_>>()),
        2 => prop::collection::btree_set(0_i8..5, 1..4),
    ];
    let weekdays = prop::option::of(prop::collection::btree_set(0_i8..7, 1..7));
    (minutes, hours, weekdays).prop_map(|(minutes, hours, weekdays)| Line { minutes, hours, weekdays })
}

/// Days around which clocks are set, and others.
fn starts() -> impl Strategy<Value = i64> {
    let changes = [
        "2026-03-29",
        "2026-10-25",
        "2026-03-08",
        "2026-11-01",
        "2026-04-04",
        "2026-10-03",
        "2026-02-15",
        "2026-03-22",
        "2026-04-05",
        "2026-09-06",
        "2027-02-07",
        "2026-07-01",
    ];
    let day = |day: &str| Instant::as_millisecond(format!("{day}T00:00:00Z").parse().unwrap());
    prop::sample::select(changes.map(day).to_vec()).prop_flat_map(|day| day - 86_400_000..day)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn due_times_are_the_minutes_that_are_meant(
        line in lines(),
        zone in prop::sample::select(ZONES.to_vec()),
        start in starts(),
    ) {
        // Dues are whole minutes, and so are the oracle's steps.
        let start = start - start.rem_euclid(60_000);
        let (from, to) = (Instant::from_millisecond(start).unwrap(), Instant::from_millisecond(start + 3 * 86_400_000).unwrap());
        let expected = every_minute(&line, &TimeZoneDatabase::bundled().get(zone).unwrap(), from, to);
        let expected: Vec<i64> = expected.into_iter().map(Instant::as_millisecond).collect();
        let read = schedule(&line.text(), zone);
        let end = Timestamp::from_millis(to.as_millisecond());
        let dues = std::iter::successors(read.next_due(Timestamp::from_millis(start)), |due| read.next_due(*due));
        let dues: Vec<i64> = dues.take_while(|due| *due < end).map(Timestamp::as_millis).collect();
        prop_assert_eq!(&dues, &expected, "{} in {} after {}", line.text(), zone, from);
        // Whatever one asks from, the next one is the next one.
        for pair in dues.windows(2) {
            for after in [pair[0], pair[0] + 1, (pair[0] + pair[1]) / 2, pair[1] - 1] {
                prop_assert_eq!(read.next_due(Timestamp::from_millis(after)).map(Timestamp::as_millis), Some(pair[1]));
            }
        }
    }
}
