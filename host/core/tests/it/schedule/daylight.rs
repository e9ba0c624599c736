//! The rule for hours that are skipped or doubled, in zones that differ in when and by how much they do it.

use super::{at, dues, schedule};

/// Zone, day (UTC, from midnight to midnight), line, due times of the day in UTC.
const DAYS: &[(&str, &str, &str, &str)] = &[
    // Berlin, forward at 02:00 (01:00 UTC) on 29 March 2026, back at 03:00 (01:00 UTC) on 25 October.
    ("Europe/Berlin", "2026-03-28", "30 2 * * *", "01:30"),
    ("Europe/Berlin", "2026-03-29", "30 2 * * *", "01:00"),
    ("Europe/Berlin", "2026-03-30", "30 2 * * *", "00:30"),
    ("Europe/Berlin", "2026-03-29", "0,15,30,45 2 * * *", "01:00"),
    ("Europe/Berlin", "2026-03-29", "30 1-3 * * *", "00:30 01:00 01:30 23:30"),
    ("Europe/Berlin", "2026-03-29", "0 3 * * *", "01:00"),
    ("Europe/Berlin", "2026-03-29", "0 2,3 * * *", "01:00"),
    ("Europe/Berlin", "2026-03-29", "0 */6 * * *", "04:00 10:00 16:00 22:00"),
    ("Europe/Berlin", "2026-03-29", "0 2-4/2 * * *", "01:00 02:00"),
    ("Europe/Berlin", "2026-10-25", "30 2 * * *", "00:30"),
    ("Europe/Berlin", "2026-10-25", "30 1-3 * * *", "00:30 02:30"),
    ("Europe/Berlin", "2026-10-25", "*/20 2 * * *", "00:00 00:20 00:40"),
    ("Europe/Berlin", "2026-10-25", "0 3 * * *", "02:00"),
    // New York, forward at 02:00 (07:00 UTC) on 8 March 2026, back at 02:00 (06:00 UTC) on 1 November.
    ("America/New_York", "2026-03-08", "15 2 * * *", "07:00"),
    ("America/New_York", "2026-03-08", "15 2 * * SUN", "07:00"),
    ("America/New_York", "2026-03-08", "15 2 * * MON", ""),
    ("America/New_York", "2026-11-01", "30 1 * * *", "05:30"),
    ("America/New_York", "2026-11-01", "30 0-2 * * *", "04:30 05:30 07:30"),
    // Lord Howe moves by half an hour: forward at 02:00 on 4 October 2026 (15:30 UTC on the 3rd), back at 02:00 to 01:30
    // on 5 April (15:00 UTC on the 4th).
    ("Australia/Lord_Howe", "2026-10-03", "10 2 * * *", "15:30"),
    ("Australia/Lord_Howe", "2026-10-03", "40 2 * * *", "15:40"),
    ("Australia/Lord_Howe", "2026-04-04", "40 1 * * *", "14:40"),
    ("Australia/Lord_Howe", "2026-04-04", "10 2 * * *", "15:40"),
    // Casablanca goes back for Ramadan at 03:00 (02:00 UTC) on 15 February 2026, and forward at 02:00 (02:00 UTC) on 22
    // March.
    ("Africa/Casablanca", "2026-02-15", "30 2 * * *", "01:30"),
    ("Africa/Casablanca", "2026-03-22", "30 2 * * *", "02:00"),
    // Kathmandu is 5:45 ahead, all year.
    ("Asia/Kathmandu", "2026-03-29", "30 2 * * *", "20:45"),
    // Beirut has no midnight on the day it goes forward (22:00 UTC on 28 March).
    ("Asia/Beirut", "2026-03-28", "0 0 * * *", "22:00"),
    ("Asia/Beirut", "2026-03-28", "0 0 29 3 *", "22:00"),
];

/// As above, for lines that are due in every hour: they follow the time that passes.
const EVERY_HOUR: &[(&str, &str, &str, &str, &str)] = &[
    ("Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", "30 * * * *", "00:30 01:30 02:30"),
    ("Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", "0 * * * *", "01:00 02:00"),
    ("Europe/Berlin", "2026-10-24T23:45:00Z", "2026-10-25T03:00:00Z", "30 * * * *", "00:30 01:30 02:30"),
    ("Europe/Berlin", "2026-10-24T23:45:00Z", "2026-10-25T02:30:00Z", "@hourly", "00:00 01:00 02:00"),
    (
        "America/New_York",
        "2026-11-01T04:59:00Z",
        "2026-11-01T07:01:00Z",
        "*/30 * * * *",
        "05:00 05:30 06:00 06:30 07:00",
    ),
    // An hour's times return after half an hour.
    ("Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z", "45 * * * *", "14:45 15:15"),
    // The clock on the wall shows 01:59 and then 02:30: its 02:00 is never shown.
    ("Australia/Lord_Howe", "2026-10-03T14:00:00Z", "2026-10-03T17:00:00Z", "0 * * * *", "14:30 16:00"),
    ("Asia/Kathmandu", "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z", "0 * * * *", "00:15 01:15"),
];

#[test]
fn a_line_that_names_hours_is_due_once_where_an_hour_is_skipped_or_doubled() {
    for (zone, day, line, expected) in DAYS {
        let (from, to) = (format!("{day}T00:00:00Z"), format!("{day}T23:59:59Z"));
        let before = at(&from).as_millis() - 1;
        let before = quantum_core::time::Timestamp::from_millis(before).to_string();
        let found = dues(&schedule(line, zone), &before, &to).join(" ");
        assert_eq!(found, *expected, "{line} in {zone} on {day}");
    }
}

#[test]
fn a_line_of_every_hour_follows_the_time_that_passes() {
    for (zone, after, before, line, expected) in EVERY_HOUR {
        let found = dues(&schedule(line, zone), after, before).join(" ");
        assert_eq!(found, *expected, "{line} in {zone} after {after}");
    }
}

#[test]
fn a_day_that_a_zone_leaves_out_is_due_at_its_end() {
    // Samoa went from 29 to 31 December 2011; 30 December ended as it began, at 10:00 UTC.
    let samoa = schedule("0 12 30 12 *", "Pacific/Apia");
    assert_eq!(samoa.next_due(at("2011-12-01T00:00:00Z")), Some(at("2011-12-30T10:00:00Z")));
    assert_eq!(samoa.next_due(at("2011-12-30T10:00:00Z")), Some(at("2012-12-29T22:00:00Z")));
}

#[test]
fn a_due_time_is_shown_as_the_clock_on_the_wall_shows_it() {
    let berlin = schedule("30 2 * * *", "europe/berlin");
    let due = berlin.next_due(at("2026-03-28T12:00:00Z")).unwrap();
    assert_eq!(berlin.local(due), "2026-03-29T03:00:00+02:00[Europe/Berlin]");
    assert_eq!(berlin.time_zone(), "Europe/Berlin");
}
