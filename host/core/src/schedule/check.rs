//! A schedule that can run: its document, checked.

use crate::duration::{DURATION_HINT, parse_duration_ms};
use crate::id::ScheduleUid;
use crate::intent::IntentRef;
use crate::json::pointer;
use crate::limits::{CATCH_UP_MAX, JITTER_MS_MAX, LABEL_CHARS_MAX, LABELS_MAX};
use crate::problem::Finding;
use crate::time::Timestamp;
use crate::vocabulary::Overlap;

use super::calendar::Calendar;
use super::document::ScheduleDocument;
use super::identity::jitter_ms;

/// Labels of this beginning are the host's.
pub const RESERVED_LABELS: &str = "quantum.";
/// On every execution of a schedule: the schedule's name.
pub const NAME_LABEL: &str = "quantum.schedule";
/// On every execution of a schedule: the due time.
pub const DUE_LABEL: &str = "quantum.due";

/// Labels that a schedule gives, so that those of the host have their place beside them. Over it: 422.
const OWN_LABELS_MAX: usize = LABELS_MAX - 2;

/// When something is due, and how much of it is made up.
#[derive(Debug, Clone)]
pub struct Schedule {
    calendar: Calendar,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    jitter_ms: u64,
    pub(super) overlap: Overlap,
    pub(super) catch_up: u64,
}

impl Schedule {
    /// Err: everything that is wrong. What is due in the past only is wrong too, by `check_future`.
    pub fn read(document: &ScheduleDocument) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let calendar = match Calendar::parse(&document.cron, &document.time_zone) {
            Ok(calendar) => Some(calendar),
            Err(wrong) => {
                findings.extend(wrong);
                None
            }
        };
        if IntentRef::parse(&document.intent).is_err() {
            let message = "it is the name of an intent, with or without a version, or its uid";
            findings.push(
                Finding::error("/intent", "intent-name", message)
                    .hint("\"nightly-backup\", or \"nightly-backup-v3\""),
            );
        }
        let jitter_ms = read_jitter(document).unwrap_or_else(|finding| {
            findings.push(*finding);
            0
        });
        findings.extend(check_bounds(document));
        findings.extend(check_labels(document));
        match calendar {
            Some(calendar) if findings.is_empty() => Ok(Self {
                calendar,
                starts_at: document.starts_at,
                ends_at: document.ends_at,
                jitter_ms,
                overlap: document.overlap,
                catch_up: document.catch_up.into(),
            }),
            _ => Err(findings),
        }
    }

    /// Err: it is never due after `now`.
    pub fn check_future(&self, now: Timestamp) -> Result<Timestamp, Box<Finding>> {
        self.next_due(now).ok_or_else(|| Box::new(self.never(now)))
    }

    fn never(&self, now: Timestamp) -> Finding {
        if self.calendar.next_after(now).is_none() {
            return Finding::error("/cron", "cron-never", "the line never fires: there is no such day")
                .hint("look at the day and the month: \"0 0 30 2 *\" is 30 February");
        }
        let message = "it never fires: nothing is due between starts_at, or now, and ends_at";
        Finding::error("/ends_at", "cron-never", message).hint("choose a later ends_at, or leave it out")
    }

    /// The first due time after `after`. None: there is none any more.
    pub fn next_due(&self, after: Timestamp) -> Option<Timestamp> {
        let before_start =
            self.starts_at.map(|start| Timestamp::from_millis(start.as_millis().saturating_sub(1)));
        let after = before_start.map_or(after, |start| start.max(after));
        let due = self.calendar.next_after(after)?;
        self.ends_at.is_none_or(|end| due < end).then_some(due)
    }

    /// When the execution of a due time starts: some time later, the same whenever it is asked for.
    pub fn starts(&self, uid: ScheduleUid, due: Timestamp) -> Timestamp {
        due.plus_millis(jitter_ms(uid, due, self.jitter_ms))
    }

    /// A time as the clock on the wall shows it there.
    pub fn local(&self, at: Timestamp) -> String {
        self.calendar.local(at)
    }

    /// As the database writes it.
    pub fn time_zone(&self) -> &str {
        self.calendar.zone_name()
    }
}

fn read_jitter(document: &ScheduleDocument) -> Result<u64, Box<Finding>> {
    let Some(value) = &document.jitter else { return Ok(0) };
    let millis = parse_duration_ms(value).ok_or_else(|| {
        let finding = Finding::error("/jitter", "duration", "it is not a length of time");
        Box::new(finding.hint(DURATION_HINT))
    })?;
    if millis > JITTER_MS_MAX {
        let message = format!("jitter is at most {} hours", JITTER_MS_MAX / 3_600_000);
        return Err(Box::new(Finding::error("/jitter", "schedule-range", message)));
    }
    Ok(millis)
}

fn check_bounds(document: &ScheduleDocument) -> Vec<Finding> {
    let mut findings = Vec::new();
    if document.catch_up > CATCH_UP_MAX {
        let message = format!("at most {CATCH_UP_MAX} missed due times are made up");
        findings.push(Finding::error("/catch_up", "schedule-range", message));
    }
    if document.starts_at.zip(document.ends_at).is_some_and(|(start, end)| end <= start) {
        findings.push(Finding::error("/ends_at", "schedule-range", "ends_at lies after starts_at"));
    }
    findings
}

fn check_labels(document: &ScheduleDocument) -> Vec<Finding> {
    let mut findings = Vec::new();
    if document.labels.len() > OWN_LABELS_MAX {
        let message = format!("at most {OWN_LABELS_MAX} labels, beside those of the host");
        findings.push(Finding::error("/labels", "schedule-label", message));
    }
    for (key, value) in &document.labels {
        let place = pointer("/labels", key);
        if key.starts_with(RESERVED_LABELS) {
            let message = format!("labels that begin with {RESERVED_LABELS} are the host's own");
            findings.push(Finding::error(place, "schedule-label", message));
        } else if key.is_empty() || too_long(key) || too_long(value) {
            let message = format!(
                "the key and the value of a label have at most {LABEL_CHARS_MAX} characters, the key at least one"
            );
            findings.push(Finding::error(place, "schedule-label", message));
        }
    }
    findings
}

fn too_long(text: &str) -> bool {
    text.chars().count() > LABEL_CHARS_MAX
}
