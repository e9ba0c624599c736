//! Writes a batch of commits inside the writer's transaction: one question to the database, then one statement a table,
//! however many commits there are; on PostgreSQL one statement for all tables, and mostly no question.

use std::collections::{BTreeMap, HashMap, HashSet};

use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::time::Timestamp;

use super::judge::{Head, Known};
use super::{Commit, CommitOutcome, EncodedEvent, NewExecution, PendingCommit, sql};
use crate::CommitError;
use crate::database::{Conn, Dialect, Query, Writes, is_refused_row};
use crate::idempotency::{IdempotencyKey, IdempotencyRecord, StoredResponse};
use crate::platform::kind_word;
use crate::usage;

/// One per commit, in order.
pub(crate) type Verdicts = Vec<Result<CommitOutcome, CommitError>>;

/// Err: the database cannot write. A commit that it refuses is written off alone.
pub(crate) async fn write(conn: &mut Conn, pending: &[PendingCommit]) -> Result<Verdicts, sqlx::Error> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    let commits: Vec<&Commit> = pending.iter().map(|pending| &pending.commit).collect();
    if conn.dialect() == Dialect::Postgres
        && let Some(verdicts) = write_unasked(conn, &commits).await?
    {
        return Ok(verdicts);
    }
    match write_together(conn, &commits).await {
        // A row that breaks a constraint (an unknown tenant): find out whose it is.
        Err(error) if is_refused_row(&error) => {
            conn.begin_anew().await?;
            write_one_by_one(conn, &commits).await
        }
        other => other,
    }
}

/// As if each execution stood where its commits say: most do, and then the database is not asked. None: one does not, or a
/// row is refused, and nothing is written.
async fn write_unasked(conn: &mut Conn, commits: &[&Commit]) -> Result<Option<Verdicts>, sqlx::Error> {
    lock_keys(conn, commits).await?;
    let mut known = Known { heads: expected_heads(commits), responses: read_responses(conn, commits).await? };
    let verdicts: Verdicts = commits.iter().map(|commit| known.judge(commit)).collect();
    if verdicts.iter().any(Result::is_err) {
        return Ok(None);
    }
    match write_accepted(conn, commits).await {
        Ok(Written::AsExpected) => return Ok(Some(verdicts)),
        Ok(Written::NotAll) => {}
        Err(error) if is_refused_row(&error) => {}
        Err(error) => return Err(error),
    }
    conn.begin_anew().await?;
    Ok(None)
}

fn expected_heads<'a>(commits: &[&'a Commit]) -> HashMap<(&'a TenantId, ExecutionId), Head> {
    let mut heads = HashMap::with_capacity(commits.len());
    let mut born = HashSet::new();
    for commit in commits {
        let key = (commit.scope.tenant(), commit.execution);
        if commit.create.is_some() {
            born.insert(key);
        } else if !born.contains(&key) {
            let head = Head { version: commit.expected_version, epoch: commit.epoch };
            heads.entry(key).or_insert(head);
        }
    }
    heads
}

async fn write_one_by_one(conn: &mut Conn, commits: &[&Commit]) -> Result<Verdicts, sqlx::Error> {
    let mut verdicts = Vec::with_capacity(commits.len());
    for commit in commits {
        conn.run("SAVEPOINT one").await?;
        match write_together(conn, std::slice::from_ref(commit)).await {
            Ok(mut one) => verdicts.append(&mut one),
            Err(error) if is_refused_row(&error) => {
                conn.run("ROLLBACK TO one").await?;
                verdicts.push(Err(CommitError::Invalid { reason: error.to_string() }));
            }
            Err(error) => return Err(error),
        }
        conn.run("RELEASE one").await?;
    }
    Ok(verdicts)
}

async fn write_together(conn: &mut Conn, commits: &[&Commit]) -> Result<Verdicts, sqlx::Error> {
    if conn.dialect() == Dialect::Postgres {
        lock_keys(conn, commits).await?;
    }
    let mut known =
        Known { heads: read_heads(conn, commits).await?, responses: read_responses(conn, commits).await? };
    let verdicts: Verdicts = commits.iter().map(|commit| known.judge(commit)).collect();
    let accepted = commits.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok());
    let accepted = accepted.map(|(commit, _)| *commit).collect::<Vec<_>>();
    match write_accepted(conn, &accepted).await? {
        Written::AsExpected => Ok(verdicts),
        // Nobody else writes what was asked for; should it happen, nobody is told of a success.
        Written::NotAll => Err(sqlx::Error::RowNotFound),
    }
}

/// Nobody else decides about these keys until the end of the transaction. In order, so that nobody waits for each other.
async fn lock_keys(conn: &mut Conn, commits: &[&Commit]) -> Result<(), sqlx::Error> {
    let keys =
        commits.iter().filter_map(|commit| Some((commit.scope.tenant(), &commit.idempotency.as_ref()?.key)));
    let mut numbers: Vec<i64> = keys.map(|key| number_of(&key)).collect();
    numbers.sort_unstable();
    sql::KEY_LOCKS.write(conn, &numbers, |query, number| query.bind(*number)).await.map(drop)
}

/// The same on every node and in every release that runs beside this one.
fn number_of(key: &(&TenantId, &IdempotencyKey)) -> i64 {
    let (tenant, IdempotencyKey { principal, route, key }) = key;
    let text = [tenant.as_str(), principal.as_str(), route, key].join("\u{0}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}

async fn read_heads<'a>(
    conn: &mut Conn,
    commits: &[&'a Commit],
) -> Result<HashMap<(&'a TenantId, ExecutionId), Head>, sqlx::Error> {
    let asked: HashMap<(&str, String), (&TenantId, ExecutionId)> = commits
        .iter()
        .map(|commit| (commit.scope.tenant(), commit.execution))
        .map(|(tenant, execution)| ((tenant.as_str(), execution.to_string()), (tenant, execution)))
        .collect();
    // In order: PostgreSQL locks them in it, and nodes that write the same ones do not wait for each other for ever.
    let mut keys: Vec<&(&str, String)> = asked.keys().collect();
    keys.sort_unstable();
    let rows =
        sql::HEADS.read(conn, &keys, |query, key| query.bind(key.0.to_owned()).bind(key.1.clone())).await?;
    let mut heads = HashMap::with_capacity(rows.len());
    for row in rows {
        let key: (&str, String) = (row.text(0)?, row.text(1)?.to_owned());
        let (version, epoch) = (row.int(2)?, row.int(3)?);
        if let Some(key) = asked.get(&key) {
            heads.insert(*key, Head { version: version.unsigned_abs(), epoch: epoch.unsigned_abs() });
        }
    }
    Ok(heads)
}

async fn read_responses<'a>(
    conn: &mut Conn,
    commits: &[&'a Commit],
) -> Result<HashMap<(&'a TenantId, &'a IdempotencyKey), StoredResponse>, sqlx::Error> {
    let asked: Vec<_> = commits
        .iter()
        .filter_map(|commit| Some((commit.scope.tenant(), &commit.idempotency.as_ref()?.key)))
        .collect();
    let rows = sql::RESPONSES
        .read(conn, &asked, |query, (tenant, key)| {
            let query = query.bind(tenant.as_str().to_owned()).bind(key.principal.as_str().to_owned());
            query.bind(key.route.clone()).bind(key.key.clone())
        })
        .await?;
    let mut responses = HashMap::with_capacity(rows.len());
    for row in rows {
        let [tenant, principal, route, key] = [0, 1, 2, 3].map(|at| row.text(at));
        let (tenant, principal, route, key) = (tenant?, principal?, route?, key?);
        let stored = StoredResponse {
            fingerprint: row.text(4)?.to_owned(),
            response: row.text(5)?.to_owned(),
            at: Timestamp::from_millis(row.int(6)?),
        };
        let same = |(of, asked): &&(&TenantId, &IdempotencyKey)| {
            of.as_str() == tenant
                && asked.principal.as_str() == principal
                && asked.route == route
                && asked.key == key
        };
        if let Some(asked) = asked.iter().find(same) {
            responses.insert(*asked, stored);
        }
    }
    Ok(responses)
}

/// Whether every execution stood where its commits say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    AsExpected,
    NotAll,
}

/// In the order of the foreign keys.
async fn write_accepted(conn: &mut Conn, accepted: &[&Commit]) -> Result<Written, sqlx::Error> {
    let (created, changed) = last_rows(accepted);
    let records: Vec<_> = accepted
        .iter()
        .filter_map(|commit| Some((commit.scope.tenant(), commit.idempotency.as_ref()?)))
        .collect();
    let mut writes = Writes::new(conn.dialect());
    writes.add(&sql::PLAN_INSERT, &distinct_plans(&created), bind_plan);
    writes.add(&sql::EXECUTION_INSERT, &created, bind_execution);
    writes.add(&sql::LABEL_INSERT, &labels(&created), bind_label);
    let change = writes.add(&sql::EXECUTION_UPDATE, &changed, bind_change);
    writes.add(&sql::JOURNAL_INSERT, accepted, bind_journal);
    writes.add(&sql::RESPONSE_INSERT, &records, bind_response);
    // Last: other nodes that add to the same rows wait from here on until the end of the transaction.
    usage::add(&mut writes, accepted);
    let counts = writes.run(conn).await?;
    let is_complete = counts.rows(change) == changed.len() as u64;
    Ok(if is_complete { Written::AsExpected } else { Written::NotAll })
}

/// A new execution beside the last commit of the batch that says how its row looks.
type Created<'a> = (&'a Commit, &'a NewExecution, &'a Commit);
/// The first commit of the batch of an execution, and the last.
type Changed<'a> = (&'a Commit, &'a Commit);

/// Several commits of one execution make one row: as the last of them says.
fn last_rows<'a>(accepted: &[&'a Commit]) -> (Vec<Created<'a>>, Vec<Changed<'a>>) {
    // In order: PostgreSQL locks rows in it, and nodes that write the same ones do not wait for each other for ever.
    let mut rows: BTreeMap<_, Changed<'a>> = BTreeMap::new();
    for commit in accepted {
        let key = (commit.scope.tenant(), commit.execution);
        rows.entry(key).and_modify(|row| row.1 = *commit).or_insert((*commit, *commit));
    }
    let mut created = Vec::new();
    for commit in accepted {
        if let Some(new) = &commit.create
            && let Some((_, last)) = rows.remove(&(commit.scope.tenant(), commit.execution))
        {
            created.push((*commit, &**new, last));
        }
    }
    (created, rows.into_values().collect())
}

/// In order, as rows are.
fn distinct_plans<'a>(created: &[Created<'a>]) -> Vec<Created<'a>> {
    let plans = created.iter().map(|row| ((row.0.scope.tenant(), row.1.plan.digest()), *row));
    plans.collect::<BTreeMap<_, _>>().into_values().collect()
}

fn labels<'a>(created: &[Created<'a>]) -> Vec<(&'a Commit, &'a String, &'a String)> {
    created
        .iter()
        .flat_map(|(commit, new, _)| new.labels.iter().map(|(key, value)| (*commit, key, value)))
        .collect()
}

fn bind_plan(query: Query, (commit, new, _): &Created<'_>) -> Query {
    let query = query.bind(commit.scope.tenant().as_str().to_owned());
    query.bind(new.plan.digest().as_str().to_owned()).bind(new.plan.json().clone())
}

fn bind_label(query: Query, (commit, key, value): &(&Commit, &String, &String)) -> Query {
    let query = query.bind(commit.scope.tenant().as_str().to_owned()).bind((*key).clone());
    query.bind((*value).clone()).bind(commit.execution.to_string())
}

fn bind_execution(query: Query, (commit, new, end): &Created<'_>) -> Query {
    query
        .bind(commit.scope.tenant().as_str().to_owned())
        .bind(commit.execution.to_string())
        .bind(new.intent_uid.to_string())
        .bind(new.intent_name.as_str().to_owned())
        .bind(i64::from(new.intent_version))
        .bind(end.row.status.as_str())
        .bind(end.last_seq().cast_signed())
        .bind(new.owner.clone())
        .bind(commit.epoch.cast_signed())
        .bind(new.lease_until.map(Timestamp::as_millis))
        .bind(end.row.next_due.map(Timestamp::as_millis))
        .bind(new.environment.as_str())
        .bind(new.dry_run)
        .bind(new.requested_by.id.as_str().to_owned())
        .bind(kind_word(new.requested_by.kind))
        .bind(serde_json::json!(new.labels).to_string())
        .bind(new.created_at.as_millis())
        .bind(end.row.started_at.map(Timestamp::as_millis))
        .bind(end.row.ended_at.map(Timestamp::as_millis))
        .bind(i64::from(new.steps_total))
        .bind(i64::from(end.row.steps_done))
        .bind(end.row.summary.clone())
        .bind(new.plan.digest().as_str().to_owned())
        .bind(new.origin.clone())
        .bind(i64::from(new.priority))
        .bind(new.concurrency_key.clone())
}

fn bind_journal(query: Query, commit: &&Commit) -> Query {
    query
        .bind(commit.scope.tenant().as_str().to_owned())
        .bind(commit.execution.to_string())
        .bind((commit.expected_version + 1).cast_signed())
        .bind(commit.last_seq().cast_signed())
        .bind(array(&commit.events))
        .bind(commit.create.as_ref().map(|new| new.input.clone()))
}

fn bind_change(query: Query, (first, commit): &Changed<'_>) -> Query {
    query
        .bind(commit.scope.tenant().as_str().to_owned())
        .bind(commit.execution.to_string())
        .bind(commit.last_seq().cast_signed())
        .bind(commit.row.status.as_str())
        .bind(commit.row.next_due.map(Timestamp::as_millis))
        .bind(i64::from(commit.row.steps_done))
        .bind(commit.row.started_at.map(Timestamp::as_millis))
        .bind(commit.row.ended_at.map(Timestamp::as_millis))
        .bind(commit.row.summary.clone())
        .bind(first.expected_version.cast_signed())
        .bind(first.epoch.cast_signed())
}

pub(crate) fn bind_response(query: Query, (tenant, record): &(&TenantId, &IdempotencyRecord)) -> Query {
    query
        .bind(tenant.as_str().to_owned())
        .bind(record.key.principal.as_str().to_owned())
        .bind(record.key.route.clone())
        .bind(record.key.key.clone())
        .bind(record.fingerprint.clone())
        .bind(record.response.clone())
        .bind(record.at.as_millis())
}

/// One JSON array of the events' texts.
fn array(events: &[EncodedEvent]) -> String {
    let bytes: usize = events.iter().map(|event| event.json.len() + 1).sum();
    let mut array = String::with_capacity(bytes + 2);
    for event in events {
        array.push(if array.is_empty() { '[' } else { ',' });
        array.push_str(&event.json);
    }
    array.push(']');
    array
}
