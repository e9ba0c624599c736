//! Lines of cron, without a time zone: which times on the clock on the wall they mean. The crate `croner` reads them and
//! searches; here is what this host takes of its language, and what is said about the rest.

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::problem::{Finding, nearest};

/// Bytes of a line: longer ones list what a range would say. Over it: 422.
const LINE_BYTES_MAX: usize = 256;
const HOURS: u32 = 24;

/// Words for whole lines.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// One field of a line: its name, what it takes, and the names that may stand for numbers.
struct Field {
    name: &'static str,
    takes: &'static str,
    marks: &'static str,
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const FIELDS: [Field; 5] = [
    Field { name: "a minute", takes: "0 to 59", marks: "*,-/", words: &[] },
    Field { name: "an hour", takes: "0 to 23", marks: "*,-/", words: &[] },
    Field {
        name: "a day of the month",
        takes: "1 to 31, L for the last one, 15W for the weekday nearest to it",
        marks: "*,-/",
        words: &["L", "W", "LW"],
    },
    Field { name: "a month", takes: "1 to 12, or JAN to DEC", marks: "*,-/", words: &MONTHS },
    Field {
        name: "a day of the week",
        takes: "0 to 7 (0 and 7 are Sunday), or SUN to SAT, MON#2 for the second one, 5L for the last Friday",
        marks: "*,-/#",
        words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L"],
    },
];

/// A line that was read.
#[derive(Debug, Clone)]
pub(super) struct CronLine {
    cron: Cron,
    every_hour: bool,
}

impl CronLine {
    /// Err: a finding that names the field.
    pub fn parse(text: &str) -> Result<Self, Box<Finding>> {
        let line = expand(text)?;
        let fields = split(&line)?;
        for (text, field) in fields.iter().zip(&FIELDS) {
            check(text, field)?;
        }
        let cron = read(&line).map_err(|error| explain(&fields, &error))?;
        let every_hour = (0..HOURS).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false));
        Ok(Self { cron, every_hour })
    }

    /// It is due in each hour of the day, so that it follows the time that passes.
    pub fn is_every_hour(&self) -> bool {
        self.every_hour
    }

    /// The first time that the line means after `from`, or at it. None: there is none any more.
    pub fn next(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        self.cron.find_next_occurrence(&Wall(from), inclusive).ok().map(|wall| wall.0)
    }
}

fn expand(text: &str) -> Result<String, Box<Finding>> {
    let line = text.trim();
    if !line.starts_with('@') {
        return Ok(line.to_ascii_uppercase());
    }
    let lower = line.to_ascii_lowercase();
    let known = WORDS.iter().find(|(word, _)| *word == lower);
    known.map(|(_, line)| (*line).to_owned()).ok_or_else(|| {
        let names = || WORDS.iter().map(|(word, _)| *word);
        let near = nearest(&lower, names()).map(|near| format!("did you mean \"{near}\"?"));
        let hint = near.unwrap_or_else(|| names().collect::<Vec<_>>().join(", "));
        wrong(format!("\"{}\" is not a word for a line", shorten(line)), &hint)
    })
}

fn split(line: &str) -> Result<[&str; 5], Box<Finding>> {
    if line.len() > LINE_BYTES_MAX {
        let hint = "a range with a step, such as 0-30/5, says what a list says";
        return Err(wrong(format!("a line has at most {LINE_BYTES_MAX} characters"), hint));
    }
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    <[&str; 5]>::try_from(fields.as_slice()).map_err(|_| {
        let hint = "minute, hour, day of the month, month, day of the week: \"0 6 * * MON-FRI\"";
        wrong(format!("a line has five fields, and this one has {}", fields.len()), hint)
    })
}

/// Names belong into their field, and lists have no empty parts: `croner` would read more than is meant.
fn check(text: &str, field: &Field) -> Result<(), Box<Finding>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || field.marks.contains(c);
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let good = text.chars().all(plain)
        && words.all(|word| field.words.contains(&word))
        && text.split(',').all(|part| !part.is_empty());
    if good { Ok(()) } else { Err(misread(text, field)) }
}

fn read(line: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(line)
}

/// The first field that cannot be read alone.
fn explain(fields: &[&str; 5], error: &CronError) -> Box<Finding> {
    for (at, (text, field)) in fields.iter().zip(&FIELDS).enumerate() {
        let alone: Vec<&str> = (0..FIELDS.len()).map(|other| if other == at { text } else { "*" }).collect();
        if read(&alone.join(" ")).is_err() {
            return misread(text, field);
        }
    }
    wrong(error.to_string(), "minute, hour, day of the month, month, day of the week")
}

fn misread(text: &str, field: &Field) -> Box<Finding> {
    let Field { name, takes, .. } = field;
    let hint =
        format!("{takes}; * for each, lists (1,15), ranges from low to high (1-5), steps (*/10, 1-20/5)");
    wrong(format!("\"{}\" is not {name}", shorten(text)), &hint)
}

fn wrong(message: String, hint: &str) -> Box<Finding> {
    Box::new(Finding::error("/cron", "cron-line", message).hint(hint))
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A time on the wall, as `croner` wants it: each one happens exactly once.
#[derive(Clone)]
struct Wall(DateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let (date, time) = (self.0.date(), self.0.time());
        let [month, day, hour, minute, second] =
            [date.month(), date.day(), time.hour(), time.minute(), time.second()]
                .map(|part| u32::from(part.unsigned_abs()));
        // INVARIANT: both libraries know the same calendar, so a date of one is a date of the other.
        CivilDateTime::from_ymd_hms_opt(i32::from(date.year()), month, day, hour, minute, second)
            .expect("a date of one calendar is one of the other")
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(self.0.weekday().to_sunday_zero_offset().unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let small = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let [month, day] = [small(civil.month())?, small(civil.day())?];
        let [hour, minute, second] = [small(civil.hour())?, small(civil.minute())?, small(civil.second())?];
        let wall = DateTime::new(year, month, day, hour, minute, second, 0);
        wall.map(|wall| Resolution::Single(Self(wall))).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
