//! Secrets as they are stored: encrypted, under keys that are encrypted themselves. Nothing here can open one.

mod keys;
mod sealed;

use quantum_core::id::{PrincipalId, TenantId};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Environment;

use crate::Error;
use crate::database::Columns;
use crate::database::Row;
use crate::scope::TenantScope;
use crate::store::Store;
pub(crate) use keys::sql as key_sql;
pub(crate) use sealed::sql;

/// Everything about a secret but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    pub tenant: TenantId,
    pub name: String,
    pub environment: Environment,
    /// JSON text: an array of host patterns.
    pub hosts: String,
    pub expires_at: Option<Timestamp>,
    /// From 1; grows with each value.
    pub version: u64,
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
    pub updated_at: Timestamp,
    pub updated_by: PrincipalId,
}

/// The value of a secret as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    pub key_version: u32,
    pub nonce: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// What a tenant's secrets are encrypted with, as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKey {
    pub tenant: TenantId,
    /// From 1; the greatest is the one to encrypt with.
    pub version: u32,
    /// Names the master key that wrapped it.
    pub master: String,
    pub wrapped: Vec<u8>,
    pub created_at: Timestamp,
}

/// A secret with the key that opens it, once that is unwrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    pub row: SecretRow,
    pub sealed: SealedSecret,
    pub key: TenantKey,
}

/// The secrets and keys of one tenant.
pub struct Secrets<'a> {
    pub(crate) store: &'a Store,
    pub(crate) scope: &'a TenantScope,
}

impl Secrets<'_> {
    fn columns<'r>(&self, row: &'r Row, table: &'static str) -> Result<Columns<'r>, Error> {
        Columns::scoped(row, table, self.scope, &self.store.counters)
    }
}
