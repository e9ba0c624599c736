//! Events and log lines: `{ seq, type, execution_id, step, attempt, at, result | error … }`.

use quantum_core::id::ExecutionId;
use quantum_core::port::{LogEntry, LogLine};
use quantum_store::LogRow;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// One page of an execution's event log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// Ordered by `seq`, without gaps.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<Value>,
    pub next_page_token: Option<String>,
}

/// One page of what the steps of an execution said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPage {
    pub items: Vec<LogLineBody>,
    pub next_page_token: Option<String>,
}

/// A log line or a progress report of an attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LogLineBody {
    /// Its place in the execution's log, from 1.
    pub number: u64,
    pub step: String,
    pub attempt: u32,
    #[schema(format = DateTime)]
    pub at: String,
    /// `type` is step_log (`level`, `message`, `fields`) or step_progress (`percent`, `message`).
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub entry: LogEntry,
}

/// From the stored form: the format's version goes, the execution's id comes.
pub(crate) fn wire_event(id: &ExecutionId, stored: &str) -> Result<Map<String, Value>, serde_json::Error> {
    let mut stored: Map<String, Value> = serde_json::from_str(stored)?;
    let mut wire = Map::new();
    for key in ["seq", "type"] {
        wire.extend(stored.remove_entry(key));
    }
    wire.insert("execution_id".to_owned(), json!(id));
    for key in ["step", "element", "attempt", "at"] {
        wire.extend(stored.remove_entry(key));
    }
    wire.extend(stored.into_iter().filter(|(key, _)| key != "v"));
    Ok(wire)
}

/// A line as an event without `seq`: it is not part of the ordered log.
pub(crate) fn log_event(line: &LogLine) -> Map<String, Value> {
    let mut wire = Map::new();
    let mut entry = json!(line.entry);
    let fields = entry.as_object_mut().map(std::mem::take).unwrap_or_default();
    wire.insert("type".to_owned(), fields.get("type").cloned().unwrap_or_default());
    wire.insert("execution_id".to_owned(), json!(line.execution));
    wire.insert("step".to_owned(), json!(line.step));
    wire.insert("attempt".to_owned(), json!(line.attempt));
    wire.insert("at".to_owned(), json!(line.at));
    wire.extend(fields);
    wire
}

impl From<LogRow> for LogLineBody {
    fn from(row: LogRow) -> Self {
        let LogLine { step, attempt, at, entry, .. } = row.line;
        Self { number: row.number, step: step.to_string(), attempt, at: at.to_string(), entry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_event_gets_the_wire_form() {
        let id = ExecutionId::parse("0198c0de-0000-7000-8000-000000000000").unwrap();
        let stored = r#"{"v":1,"seq":7,"at":"2026-01-01T00:00:00.000Z","type":"step_completed","step":"push","attempt":1,"result":{"ok":true}}"#;
        let wire = Value::Object(wire_event(&id, stored).unwrap()).to_string();
        let expected = r#"{"seq":7,"type":"step_completed","execution_id":"0198c0de-0000-7000-8000-000000000000","step":"push","attempt":1,"at":"2026-01-01T00:00:00.000Z","result":{"ok":true}}"#;
        assert_eq!(wire, expected);
    }
}
