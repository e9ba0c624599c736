//! What is wrong with the document of a schedule, where, and what would do.

use proptest::prelude::*;
use quantum_core::schedule::{Schedule, ScheduleDocument};
use serde_json::json;

use super::{at, document, schedule};

const NOW: &str = "2026-11-23T10:00:00Z";

/// The findings as `pointer code: message (hint)`.
fn findings(document: &ScheduleDocument) -> Vec<String> {
    let found = match Schedule::read(document) {
        Err(findings) => findings,
        Ok(schedule) => schedule.check_future(at(NOW)).err().map(|finding| *finding).into_iter().collect(),
    };
    let hint = |hint: Option<String>| hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
    found
        .into_iter()
        .map(|it| format!("{} {}: {}{}", it.pointer, it.code, it.message, hint(it.hint)))
        .collect()
}

#[test]
fn lines_of_cron_are_read() {
    let cases = [
        ("0 6 * * MON-FRI", "2026-11-24T06:00:00.000Z"),
        ("0 6 * * mon-fri", "2026-11-24T06:00:00.000Z"),
        ("*/10 * * * *", "2026-11-23T10:10:00.000Z"),
        ("5,35 9-17/4 * * *", "2026-11-23T13:05:00.000Z"),
        ("0 0 L * *", "2026-11-30T00:00:00.000Z"),
        ("0 0 15W * *", "2026-12-15T00:00:00.000Z"),
        ("0 0 * * MON#2", "2026-12-14T00:00:00.000Z"),
        ("0 0 * * 5L", "2026-11-27T00:00:00.000Z"),
        ("0 0 1 JAN *", "2027-01-01T00:00:00.000Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00.000Z"),
        // As everywhere: where both days are given, either one will do.
        ("0 0 1 * 0", "2026-11-29T00:00:00.000Z"),
        ("  0   0   *  *  7 ", "2026-11-29T00:00:00.000Z"),
        ("@hourly", "2026-11-23T11:00:00.000Z"),
        ("@Daily", "2026-11-24T00:00:00.000Z"),
        ("@midnight", "2026-11-24T00:00:00.000Z"),
        ("@weekly", "2026-11-29T00:00:00.000Z"),
        ("@monthly", "2026-12-01T00:00:00.000Z"),
        ("@yearly", "2027-01-01T00:00:00.000Z"),
    ];
    for (line, expected) in cases {
        let due = schedule(line, "UTC").next_due(at(NOW)).map(|due| due.to_string());
        assert_eq!(due.as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn a_line_that_cannot_be_read_names_the_field_and_what_it_takes() {
    let cases = [
        ("61 * * * *", "\"61\" is not a minute"),
        ("* 24 * * *", "\"24\" is not an hour"),
        ("* MON * * *", "\"MON\" is not an hour"),
        ("* * 0 * *", "\"0\" is not a day of the month"),
        ("* * 32 * *", "\"32\" is not a day of the month"),
        ("* * * 13 *", "\"13\" is not a month"),
        ("* * * FOO *", "\"FOO\" is not a month"),
        ("* * * * 8", "\"8\" is not a day of the week"),
        ("* * * * MONDAY", "\"MONDAY\" is not a day of the week"),
        ("* * * * MON#6", "\"MON#6\" is not a day of the week"),
        ("*/0 * * * *", "\"*/0\" is not a minute"),
        ("5-1 * * * *", "\"5-1\" is not a minute"),
        ("1,,2 * * * *", "\"1,,2\" is not a minute"),
        (", * * * *", "\",\" is not a minute"),
        ("-1 * * * *", "\"-1\" is not a minute"),
        ("99999999999 * * * *", "\"99999999999\" is not a minute"),
        ("* * ? * *", "\"?\" is not a day of the month"),
        ("* * 1 * +MON", "\"+MON\" is not a day of the week"),
        ("* * * *", "a line has five fields, and this one has 4"),
        ("0 * * * * *", "a line has five fields, and this one has 6"),
        ("", "a line has five fields, and this one has 0"),
        ("@hourlu", "\"@hourlu\" is not a word for a line (did you mean \"@hourly\"?)"),
        ("@reboot", "\"@reboot\" is not a word for a line"),
    ];
    for (line, expected) in cases {
        let found = findings(&document(line, "UTC"));
        let expected = format!("/cron cron-line: {expected}");
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{line:?}: {found:?}");
        assert!(found[0].ends_with(')'), "{line:?} has no hint: {found:?}");
    }
    let long = "1,".repeat(200) + "1 * * * *";
    assert!(findings(&document(&long, "UTC"))[0].contains("at most 256 characters"));
}

#[test]
fn a_line_that_never_fires_is_refused() {
    let never = "/cron cron-never: the line never fires: there is no such day";
    for line in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30 FEB *"] {
        let found = findings(&document(line, "Europe/Berlin"));
        assert!(found.len() == 1 && found[0].starts_with(never), "{line}: {found:?}");
    }
    let ended =
        ScheduleDocument { ends_at: Some(at("2026-11-23T11:00:00Z")), ..document("0 12 * * *", "UTC") };
    let expected =
        "/ends_at cron-never: it never fires: nothing is due between starts_at, or now, and ends_at";
    assert!(findings(&ended)[0].starts_with(expected), "{:?}", findings(&ended));
    let leap =
        ScheduleDocument { ends_at: Some(at("2028-02-29T00:00:00Z")), ..document("0 0 29 2 *", "UTC") };
    assert!(findings(&leap)[0].starts_with(expected), "ends_at is not due any more");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = ScheduleDocument {
        intent: "Not A Name".into(),
        labels: [("quantum.schedule".to_owned(), "x".to_owned()), ("k".repeat(129), String::new())].into(),
        catch_up: 101,
        jitter: Some(json!("13h")),
        starts_at: Some(at("2027-01-02T00:00:00Z")),
        ends_at: Some(at("2027-01-01T00:00:00Z")),
        ..document("x * * * *", "Europe/Nowhere")
    };
    let found = findings(&wrong);
    let places: Vec<_> = found.iter().map(|it| it.split(':').next().unwrap().to_owned()).collect();
    let expected = [
        "/cron cron-line",
        "/time_zone time-zone",
        "/intent intent-name",
        "/jitter schedule-range",
        "/catch_up schedule-range",
        "/ends_at schedule-range",
        &format!("/labels/{} schedule-label", "k".repeat(129)),
        "/labels/quantum.schedule schedule-label",
    ];
    assert_eq!(places, expected);
    let soon = ScheduleDocument { jitter: Some(json!("soon")), ..document("@daily", "UTC") };
    assert!(findings(&soon)[0].starts_with("/jitter duration:"));
    let many = (0..63).map(|n| (format!("k{n}"), String::new())).collect();
    let many = ScheduleDocument { labels: many, ..document("@daily", "UTC") };
    assert!(findings(&many)[0].starts_with("/labels schedule-label: at most 62"));
}

#[test]
fn nothing_is_due_outside_of_its_bounds() {
    let bounded = ScheduleDocument {
        starts_at: Some(at("2026-12-01T06:00:00Z")),
        ends_at: Some(at("2026-12-03T06:00:00Z")),
        ..document("0 6 * * *", "UTC")
    };
    let bounded = Schedule::read(&bounded).unwrap();
    assert_eq!(bounded.next_due(at(NOW)), Some(at("2026-12-01T06:00:00Z")));
    assert_eq!(bounded.next_due(at("2026-12-01T06:00:00Z")), Some(at("2026-12-02T06:00:00Z")));
    assert_eq!(bounded.next_due(at("2026-12-02T06:00:00Z")), None);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(line in "\\PC{0,40}", zone in "\\PC{0,40}") {
        drop(findings(&document(&line, &zone)));
    }

    #[test]
    fn no_line_breaks_the_search(line in "[0-9*,/LW#A-Z-]{1,6}( [0-9*,/LW#A-Z-]{1,6}){4}", days in 0_u64..4_000) {
        if let Ok(schedule) = Schedule::read(&document(&line, "Africa/Casablanca")) {
            let after = at(NOW).plus_millis(days * 86_400_000);
            if let Some(due) = schedule.next_due(after) {
                prop_assert!(due > after);
                prop_assert!(!schedule.local(due).is_empty());
            }
        }
    }
}
