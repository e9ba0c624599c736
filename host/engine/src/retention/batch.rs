//! Which executions go together, and which have to stay.

use std::collections::HashMap;

use quantum_core::id::ScheduleName;
use quantum_core::schedule::{DUE_LABEL, NAME_LABEL, execution_id};
use quantum_core::time::Timestamp;
use quantum_store::{EndKey, ExecutionRow, ScheduleRow, TenantScope};

use crate::engine::Shared;
use crate::error::Error;

/// None: it has not ended.
pub(super) fn end_key(row: &ExecutionRow) -> Option<EndKey> {
    row.ended_at.map(|ended_at| EndKey { ended_at, id: row.id })
}

/// Those that ended in the same month, together.
pub(super) fn months(rows: &[ExecutionRow]) -> impl Iterator<Item = &[ExecutionRow]> {
    rows.chunk_by(|one, next| month(one) == month(next))
}

/// `2026-11`, in UTC.
fn month(row: &ExecutionRow) -> Option<String> {
    let ended = row.ended_at?.to_string();
    ended.get(..7).map(str::to_owned)
}

impl Shared {
    /// Without those that a schedule would start again: their start is not in its row yet, because the host died in
    /// between and nobody has looked since. What a schedule has noted stays noted, so that this holds later, too.
    pub(super) async fn noted(
        &self,
        scope: &TenantScope,
        rows: Vec<ExecutionRow>,
    ) -> Result<Vec<ExecutionRow>, Error> {
        let mut known: HashMap<ScheduleName, Option<ScheduleRow>> = HashMap::new();
        let mut noted = Vec::with_capacity(rows.len());
        for row in rows {
            let name = row.labels.get(NAME_LABEL).and_then(|name| ScheduleName::new(name).ok());
            if let Some(name) = name {
                if !known.contains_key(&name) {
                    let schedule = self.ports.store.schedules(scope).get(&name).await?;
                    known.insert(name.clone(), schedule);
                }
                if known.get(&name).and_then(Option::as_ref).is_some_and(|it| would_start(it, &row)) {
                    continue;
                }
            }
            noted.push(row);
        }
        Ok(noted)
    }
}

/// Whether the schedule comes to the due time of this execution yet.
fn would_start(schedule: &ScheduleRow, row: &ExecutionRow) -> bool {
    let due = row.labels.get(DUE_LABEL).and_then(|due| Timestamp::parse(due));
    due.is_some_and(|due| {
        let is_ahead = due > schedule.handled_until || schedule.waiting == Some(due);
        is_ahead && execution_id(schedule.uid, due) == row.id
    })
}
