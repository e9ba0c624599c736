//! Answers that were given under an `Idempotency-Key`, stored with the effect they answer for.

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::time::Timestamp;

use crate::Error;
use crate::database::Columns;
use crate::database::{Conn, Query, Row};
use crate::journal::{RESPONSE_INSERT, bind_response};
use crate::scope::TenantScope;
use crate::store::Store;

/// Milliseconds that an answer is kept: 24 hours, as the API promises. Later the key is free again.
pub(crate) const KEPT_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a key is unique in, beside the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    pub principal: PrincipalId,
    /// The operation, for example `execute_intent`.
    pub route: String,
    pub key: String,
}

/// A key with the answer that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub key: IdempotencyKey,
    /// Of the request; another request under the same key is refused by the caller.
    pub fingerprint: String,
    /// JSON text.
    pub response: String,
    pub at: Timestamp,
}

/// The answer that was given first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    pub fingerprint: String,
    /// JSON text.
    pub response: String,
    pub at: Timestamp,
}

/// The answers of one tenant.
pub struct Idempotency<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

pub(crate) mod sql {
    crate::database::statements! {
        LOOKUP = "SELECT tenant_id, fingerprint, response, at FROM idempotency_keys \
                  WHERE tenant_id = ? AND principal_id = ? AND route = ? AND key = ?";
    }
}

impl IdempotencyRecord {
    pub(crate) fn stored(&self) -> StoredResponse {
        StoredResponse { fingerprint: self.fingerprint.clone(), response: self.response.clone(), at: self.at }
    }
}

impl Idempotency<'_> {
    /// None: the key is free, or its answer is older than 24 hours.
    pub async fn lookup(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>, Error> {
        let row =
            query(self.scope.tenant(), key).fetch_optional(&mut self.store.read(self.scope).await?).await?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::scoped(&row, "idempotency_keys", self.scope, &self.store.counters)?;
        columns.tenant()?;
        Ok(Some(stored(columns)?).filter(|stored| is_kept(stored, now)))
    }
}

/// In the transaction of the effect, before it. Err: `IdempotencyTaken`.
pub(crate) async fn check(
    conn: &mut Conn,
    tenant: &TenantId,
    record: Option<&IdempotencyRecord>,
) -> Result<(), Error> {
    let Some(record) = record else { return Ok(()) };
    let row: Option<Row> = query(tenant, &record.key).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(()) };
    let mut columns = Columns::new(&row, "idempotency_keys");
    columns.tenant()?;
    let stored = stored(columns)?;
    if is_kept(&stored, record.at) {
        return Err(Error::IdempotencyTaken(Box::new(stored)));
    }
    Ok(())
}

/// After `check`: takes the key.
pub(crate) async fn record(
    conn: &mut Conn,
    tenant: &TenantId,
    record: Option<&IdempotencyRecord>,
) -> Result<(), Error> {
    let Some(record) = record else { return Ok(()) };
    RESPONSE_INSERT.write(conn, &[(tenant, record)], bind_response).await?;
    Ok(())
}

fn query(tenant: &TenantId, key: &IdempotencyKey) -> Query {
    let query =
        Query::new(sql::LOOKUP).bind(tenant.as_str().to_owned()).bind(key.principal.as_str().to_owned());
    query.bind(key.route.clone()).bind(key.key.clone())
}

fn stored(mut columns: Columns<'_>) -> Result<StoredResponse, Error> {
    Ok(StoredResponse { fingerprint: columns.owned()?, response: columns.owned()?, at: columns.time()? })
}

fn is_kept(stored: &StoredResponse, now: Timestamp) -> bool {
    now.millis_since(stored.at) < KEPT_MS
}
