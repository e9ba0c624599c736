//! One execution: its row, its events, or all that its state is rebuilt from.

use quantum_core::id::ExecutionId;
use quantum_core::port::Requester;
use quantum_core::vocabulary::{Environment, ExecutionStatus};
use serde_json::value::RawValue;

use super::{ExecutionRow, Executions, StoredExecution};
use crate::Error;
use crate::database::Columns;
use crate::database::{Query, Row};
use crate::journal::{EncodedEvent, SharedPlan};
use crate::platform::parse_kind;

/// The columns that `decode_row` reads, of a table called `e`.
macro_rules! row_columns {
    () => {
        "e.tenant_id, e.id, e.intent_uid, e.intent_name, e.intent_version, e.status, e.version, e.owner, e.epoch, \
         e.lease_until, e.next_due, e.environment, e.dry_run, e.requested_by, e.requested_by_kind, e.labels, \
         e.created_at, e.started_at, e.ended_at, e.steps_total, e.steps_done, e.summary, e.origin, e.priority, \
         e.concurrency_key"
    };
}
pub(crate) use row_columns;

pub(crate) mod sql {
    crate::database::statements! {
        GET = concat!("SELECT ", super::row_columns!(), " FROM executions e WHERE e.tenant_id = ? AND e.id = ? \
                      AND e.purged_at IS NULL");
        LOAD = concat!(
            "SELECT ", super::row_columns!(), ", e.plan_digest, p.plan FROM executions e \
             JOIN plans p ON p.tenant_id = e.tenant_id AND p.digest = e.plan_digest \
             WHERE e.tenant_id = ? AND e.id = ? AND e.purged_at IS NULL"
        );
        JOURNAL = "SELECT tenant_id, execution_id, first_seq, last_seq, events, input FROM journal \
                   WHERE tenant_id = ? AND execution_id = ? ORDER BY first_seq";
        /// From the row that holds the wanted event on; each row has at least one.
        AFTER = "SELECT tenant_id, execution_id, first_seq, last_seq, events, NULL FROM journal \
                 WHERE tenant_id = ?1 AND execution_id = ?2 AND first_seq >= (SELECT coalesce(max(first_seq), 0) \
                 FROM journal WHERE tenant_id = ?1 AND execution_id = ?2 AND first_seq <= ?3) \
                 AND EXISTS (SELECT 1 FROM executions e WHERE e.tenant_id = ?1 AND e.id = ?2 AND e.purged_at IS NULL) \
                 ORDER BY first_seq LIMIT ?4";
    }
}

impl Executions<'_> {
    pub async fn get(&self, id: &ExecutionId) -> Result<Option<ExecutionRow>, Error> {
        let query = Query::new(sql::GET).bind(self.scope.tenant().to_string()).bind(id.to_string());
        let row = query.fetch_optional(&mut self.store.read(self.scope).await?).await?;
        row.as_ref().map(|row| decode_row(&mut self.columns(row, "executions")?)).transpose()
    }

    pub async fn load(&self, id: &ExecutionId) -> Result<Option<StoredExecution>, Error> {
        let tenant = self.scope.tenant().to_string();
        let query = Query::new(sql::LOAD).bind(tenant.clone()).bind(id.to_string());
        let Some(found) = query.fetch_optional(&mut self.store.read(self.scope).await?).await? else {
            return Ok(None);
        };
        let mut columns = self.columns(&found, "executions")?;
        let row = decode_row(&mut columns)?;
        let plan = SharedPlan::stored(columns.parsed()?, columns.text()?.into());
        let query = Query::new(sql::JOURNAL).bind(tenant).bind(id.to_string());
        let journal = query.fetch_all(&mut self.store.read(self.scope).await?).await?;
        journal.iter().try_for_each(|row| self.columns(row, "journal").map(drop))?;
        match unpack(&journal, row.version) {
            Ok((events, input)) => Ok(Some(StoredExecution { row, plan, input, events })),
            // It may have been purged since its row was read.
            Err(error) => {
                if self.get(id).await?.is_some() {
                    Err(error)
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// Events with `seq` above `after_seq`, at most `limit`. None of them is missing in between.
    pub async fn events(
        &self,
        id: &ExecutionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<EncodedEvent>, Error> {
        let query = Query::new(sql::AFTER).bind(self.scope.tenant().to_string()).bind(id.to_string());
        // One row more than events: the first one may hold only events that are known already.
        let query = query.bind(after_seq.saturating_add(1).cast_signed()).bind(i64::from(limit) + 1);
        let mut events = Vec::new();
        for row in query.fetch_all(&mut self.store.read(self.scope).await?).await? {
            read_journal_row(&mut self.columns(&row, "journal")?, &mut events)?;
        }
        events.retain(|event| event.seq > after_seq);
        events.truncate(limit as usize);
        Ok(events)
    }

    pub(super) fn columns<'r>(&self, row: &'r Row, table: &'static str) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, table, self.scope, &self.store.counters)
    }
}

/// Reads `row_columns`.
pub(crate) fn decode_row(columns: &mut Columns<'_>) -> Result<ExecutionRow, Error> {
    Ok(ExecutionRow {
        tenant: columns.tenant()?,
        id: columns.parsed()?,
        intent_uid: columns.parsed()?,
        intent_name: columns.parsed()?,
        intent_version: columns.number()?,
        status: columns.word(ExecutionStatus::parse)?,
        version: columns.number()?,
        owner: columns.text_or_null()?.map(str::to_owned),
        epoch: columns.number()?,
        lease_until: columns.time_or_null()?,
        next_due: columns.time_or_null()?,
        environment: columns.word(Environment::parse)?,
        dry_run: columns.flag()?,
        requested_by: Requester { id: columns.parsed()?, kind: columns.word(parse_kind)? },
        labels: columns.json()?,
        created_at: columns.time()?,
        started_at: columns.time_or_null()?,
        ended_at: columns.time_or_null()?,
        steps_total: columns.number()?,
        steps_done: columns.number()?,
        summary: columns.owned()?,
        origin: columns.text_or_null()?.map(str::to_owned),
        priority: columns.number()?,
        concurrency_key: columns.text_or_null()?.map(str::to_owned),
    })
}

/// Events 1 to `version` and the input, from an execution's journal rows in order. What was committed after the
/// execution's row was read is left out.
pub(crate) fn unpack(journal: &[Row], version: u64) -> Result<(Vec<EncodedEvent>, String), Error> {
    let (mut events, mut input) = (Vec::new(), None);
    for row in journal {
        let mut columns = Columns::new(row, "journal");
        read_journal_row(&mut columns, &mut events)?;
        input = input.or(columns.text_or_null()?);
    }
    events.truncate(usize::try_from(version).unwrap_or(usize::MAX));
    let last = events.last().map_or(0, |event| event.seq);
    let gapless = events.iter().zip(1..).all(|(event, seq)| event.seq == seq);
    match input {
        Some(input) if gapless && last == version => Ok((events, input.to_owned())),
        _ => {
            let detail =
                format!("events 1 to {version} with an input are due, {} end at {last}", events.len());
            Err(Error::Corrupt { what: "journal", detail })
        }
    }
}

/// Leaves the columns before `input`.
fn read_journal_row(columns: &mut Columns<'_>, events: &mut Vec<EncodedEvent>) -> Result<(), Error> {
    let (_tenant, _execution) = (columns.text()?, columns.text()?);
    let (first, last): (u64, u64) = (columns.number()?, columns.number()?);
    let array: Vec<&RawValue> = columns.borrowed_json()?;
    if last.checked_sub(first).map(|span| span + 1) != Some(array.len() as u64) {
        return Err(columns.corrupt(format!("events {first} to {last} are {} events", array.len())));
    }
    let numbered = (first..).zip(array);
    events.extend(numbered.map(|(seq, json)| EncodedEvent { seq, json: json.get().to_owned() }));
    Ok(())
}
