//! Schedules: the document that a client sends, and the schedule with how far it is.

use std::collections::BTreeMap;

use quantum_catalog::{DueTime, StoredSchedule};
use quantum_core::problem::Finding;
use quantum_core::schedule::{Counts, ScheduleDocument};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Overlap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::codes;
use crate::etag;
use crate::problem::Problem;
use quantum_core::port::Requester;

/// Missed due times that are made up where nothing is said.
const CATCH_UP: u32 = 1;

/// What is started, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "nightly-backup", "intent": "backup", "input": { "keep": 7 },
    "cron": "30 2 * * MON-FRI", "time_zone": "Europe/Berlin",
    "overlap": "skip", "catch_up": 1, "jitter": "5m"
}))]
pub(crate) struct ScheduleRequest {
    /// Words of a-z and 0-9 joined by -, at most 63 characters. May be left out where the path names the schedule.
    pub name: Option<String>,
    /// name (the version that is active when it is due), name-vN, or the uid.
    pub intent: String,
    /// Of each execution.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
    /// Of each execution. `quantum.schedule` and `quantum.due` are added.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly.
    pub cron: String,
    /// A name of the IANA database; UTC when nothing is given.
    pub time_zone: Option<String>,
    /// While an earlier execution runs: skip, queue (one waits), allow, or cancel_running. skip when nothing is given.
    pub overlap: Option<String>,
    /// Missed due times that are made up, 0 to 100; 1 when nothing is given.
    pub catch_up: Option<u32>,
    /// How much later an execution starts at most: seconds, or a text such as 90s.
    #[schema(value_type = Option<String>)]
    pub jitter: Option<Value>,
    /// Nothing is due before.
    #[schema(format = DateTime)]
    pub starts_at: Option<String>,
    /// Nothing is due any more then.
    #[schema(format = DateTime)]
    pub ends_at: Option<String>,
    /// Make it, and let nothing be due before it is resumed. Only for a new one.
    pub paused: Option<bool>,
}

/// A schedule, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleBody {
    pub name: String,
    /// Another schedule under the same name has another.
    pub uid: String,
    pub intent: String,
    pub intent_uid: String,
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
    pub labels: BTreeMap<String, String>,
    pub cron: String,
    pub time_zone: String,
    /// skip, queue, allow or cancel_running.
    pub overlap: &'static str,
    pub catch_up: u32,
    #[schema(value_type = Option<String>)]
    pub jitter: Option<Value>,
    #[schema(format = DateTime)]
    pub starts_at: Option<String>,
    #[schema(format = DateTime)]
    pub ends_at: Option<String>,
    pub paused: bool,
    /// In whose name executions are started: who made it, or replaced it last.
    #[schema(value_type = Object)]
    pub owner: Requester,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub created_by: String,
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// For `If-Match`: changes with every change by people.
    pub etag: String,
    /// Nothing: it is paused, or never due any more.
    pub next: Option<DueTimeBody>,
    /// A due time that starts when what runs has ended.
    #[schema(format = DateTime)]
    pub waiting: Option<String>,
    /// Its executions that had not ended when it was last looked.
    pub running: Vec<String>,
    pub counts: ScheduleCountsBody,
    pub last_start: Option<LastStartBody>,
    pub last_error: Option<LastErrorBody>,
}

/// What became of its due times.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleCounts)]
pub(crate) struct ScheduleCountsBody {
    pub started: u64,
    /// Passed while the host could not start them, and more than catch_up.
    pub missed: u64,
    /// Skipped because an earlier execution still ran.
    pub overlapped: u64,
    /// Not started because the intent or the policies did not let it.
    pub refused: u64,
    /// Since the last start.
    pub refused_in_a_row: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleStart)]
pub(crate) struct LastStartBody {
    #[schema(format = DateTime)]
    pub due_at: String,
    #[schema(format = DateTime)]
    pub started_at: String,
    pub execution_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleError)]
pub(crate) struct LastErrorBody {
    #[schema(format = DateTime)]
    pub due_at: String,
    #[schema(format = DateTime)]
    pub at: String,
    pub code: String,
    pub message: String,
}

/// A time at which a schedule is due.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DueTime)]
pub(crate) struct DueTimeBody {
    #[schema(format = DateTime)]
    pub due_at: String,
    /// With the jitter.
    #[schema(format = DateTime)]
    pub starts_at: String,
    /// As the clock on the wall shows it there, with offset and zone.
    #[schema(example = "2026-03-29T03:00:00+02:00[Europe/Berlin]")]
    pub local: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SchedulePage {
    pub items: Vec<ScheduleBody>,
    pub next_page_token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DueTimeList {
    pub items: Vec<DueTimeBody>,
}

impl ScheduleRequest {
    /// What serde cannot read is refused here, with its place.
    pub fn document(self) -> Result<ScheduleDocument, Problem> {
        let overlap = self.overlap.as_deref().map_or(Ok(Overlap::Skip), read_overlap)?;
        Ok(ScheduleDocument {
            intent: self.intent,
            input: self.input,
            labels: self.labels,
            cron: self.cron,
            time_zone: self.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            overlap,
            catch_up: self.catch_up.unwrap_or(CATCH_UP),
            jitter: self.jitter,
            starts_at: read_time("/starts_at", self.starts_at.as_deref())?,
            ends_at: read_time("/ends_at", self.ends_at.as_deref())?,
        })
    }
}

fn read_overlap(word: &str) -> Result<Overlap, Problem> {
    Overlap::parse(word).ok_or_else(|| {
        let known = Overlap::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", ");
        refused("/overlap", format!("\"{word}\" is not one of: {known}"))
    })
}

fn read_time(place: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let message = || format!("\"{text}\" is not a time such as 2027-01-01T00:00:00Z");
    Timestamp::parse(text).map(Some).ok_or_else(|| refused(place, message()))
}

fn refused(place: &str, message: String) -> Problem {
    let finding = Finding::error(place, codes::INVALID_BODY.code, message.clone());
    Problem::new(&codes::INVALID_BODY).detail(message).finding(finding)
}

impl From<StoredSchedule> for ScheduleBody {
    fn from(schedule: StoredSchedule) -> Self {
        let next = schedule.next().map(Into::into);
        let StoredSchedule { document, state, .. } = schedule;
        let progress = state.progress;
        Self {
            name: schedule.name.to_string(),
            uid: schedule.uid.to_string(),
            intent: document.intent,
            intent_uid: schedule.intent_uid.to_string(),
            input: document.input,
            labels: document.labels,
            cron: document.cron,
            time_zone: document.time_zone,
            overlap: document.overlap.as_str(),
            catch_up: document.catch_up,
            jitter: document.jitter,
            starts_at: document.starts_at.map(|at| at.to_string()),
            ends_at: document.ends_at.map(|at| at.to_string()),
            paused: schedule.paused,
            owner: schedule.owner,
            created_at: schedule.created_at.to_string(),
            created_by: schedule.created_by.to_string(),
            updated_at: schedule.updated_at.to_string(),
            etag: etag::of(schedule.revision),
            next,
            waiting: state.waiting.map(|due| due.to_string()),
            running: progress.running.iter().map(ToString::to_string).collect(),
            counts: progress.counts.into(),
            last_start: progress.last_start.map(|start| LastStartBody {
                due_at: start.due_at.to_string(),
                started_at: start.started_at.to_string(),
                execution_id: start.execution.to_string(),
            }),
            last_error: progress.last_error.map(|error| LastErrorBody {
                due_at: error.due_at.to_string(),
                at: error.at.to_string(),
                code: error.problem.code,
                message: error.problem.message,
            }),
        }
    }
}

impl From<Counts> for ScheduleCountsBody {
    fn from(counts: Counts) -> Self {
        let Counts { started, missed, overlapped, refused, refused_in_a_row } = counts;
        Self { started, missed, overlapped, refused, refused_in_a_row }
    }
}

impl From<DueTime> for DueTimeBody {
    fn from(due: DueTime) -> Self {
        Self { due_at: due.due_at.to_string(), starts_at: due.starts_at.to_string(), local: due.local }
    }
}
