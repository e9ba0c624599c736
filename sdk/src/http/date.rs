//! `Retry-After`: seconds, or a date that is held against the answer's own `Date`, so that no clock is needed.

use std::time::Duration;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// None: not said, or not readable.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let span = seconds(value)?.saturating_sub(seconds(date?)?);
    Some(Duration::from_secs(u64::try_from(span).unwrap_or(0)))
}

/// Seconds since the Unix epoch of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn seconds(text: &str) -> Option<i64> {
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let plausible =
        (1..=31).contains(&day) && (1970..=9999).contains(&year) && hour < 24 && minute < 60 && second < 61;
    (plausible && hour.min(minute).min(second) >= 0)
        .then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970-01-01 in the Gregorian calendar; years counted from March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (from_march * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_seconds_since_the_epoch() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
    }

    #[test]
    fn a_wait_is_read_in_both_forms_and_never_negative() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after(Some("120"), None), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:49:47 GMT"), date), Some(Duration::from_secs(10)));
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:00:00 GMT"), date), Some(Duration::ZERO));
        for odd in ["soon", "-1", "Sun, 99 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:-1:00 GMT"] {
            assert_eq!(retry_after(Some(odd), date), None, "{odd}");
        }
    }
}
