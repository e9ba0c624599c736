//! Time zones by name. The database is part of this program: what a due time means does not depend on the machine.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::problem::{Finding, nearest};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Err: a finding that says what is near.
pub(super) fn find(name: &str) -> Result<TimeZone, Box<Finding>> {
    DATABASE.get(name).map_err(|_| Box::new(unknown(name)))
}

fn unknown(name: &str) -> Finding {
    let shown: String = name.chars().take(80).collect();
    let finding = Finding::error("/time_zone", "time-zone", format!("\"{shown}\" is not a time zone"));
    let known: Vec<String> = DATABASE.available().map(|name| name.to_string()).collect();
    let city = |known: &str| known.rsplit('/').next().unwrap_or_default().eq_ignore_ascii_case(name);
    let near = known.iter().find(|known| city(known)).map(String::as_str);
    match near.or_else(|| nearest(&shown, known.iter().map(String::as_str))) {
        Some(near) => finding.hint(format!("did you mean \"{near}\"?")),
        None => finding.hint("a name of the IANA database, such as Europe/Berlin or UTC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_on_a_bare_machine_and_misspelt_ones_are_corrected() {
        for name in ["UTC", "Europe/Berlin", "australia/lord_howe", "Africa/Casablanca", "Asia/Kathmandu"] {
            assert!(find(name).unwrap().iana_name().unwrap().eq_ignore_ascii_case(name), "{name}");
        }
        let hint = |name: &str| find(name).unwrap_err().hint.unwrap();
        assert_eq!(hint("Berlin"), "did you mean \"Europe/Berlin\"?");
        assert_eq!(hint("Europe/Berln"), "did you mean \"Europe/Berlin\"?");
        for far in ["", "+02:00", "no such place at all", &"x".repeat(10_000)] {
            assert!(find(far).unwrap_err().hint.unwrap().contains("IANA"), "{far:.30}");
        }
    }
}
