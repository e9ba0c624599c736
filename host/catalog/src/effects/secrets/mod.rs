//! Secrets of one tenant: written, listed without their values, removed, and opened for the host's own hands.

mod open;
mod rotate;
mod set;
mod value;
mod vault;

use quantum_core::id::PrincipalId;
use quantum_core::manifest::HostPattern;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Environment;
use quantum_store::{
    Error as StoreError, Page, PageRequest, SecretRow, Secrets as StoredSecrets, TenantKey, TenantScope,
};

use super::Effects;
use crate::Error;
pub use set::{NewSecret, Reach};
pub use value::SecretValue;
use vault::DataKey;
pub use vault::{Vault, VaultError};

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    pub name: String,
    pub environment: Environment,
    /// Where requests may carry it to. Empty: nowhere, it is for `reveal` only.
    pub hosts: Vec<HostPattern>,
    pub expires_at: Option<Timestamp>,
    /// From 1; grows with each value.
    pub version: u64,
    pub created_at: Timestamp,
    pub created_by: PrincipalId,
    pub updated_at: Timestamp,
    pub updated_by: PrincipalId,
}

/// The secrets of one tenant.
pub struct Secrets<'a> {
    pub(super) effects: &'a Effects,
    pub(super) scope: &'a TenantScope,
}

impl Secrets<'_> {
    /// By name, then environment; expired ones too. Err: `PageToken`.
    pub async fn list(&self, page: PageRequest) -> Result<Page<SecretInfo>, Error> {
        let page = self.stored().list(page).await?;
        let items: Result<Vec<_>, _> = page.items.into_iter().map(SecretInfo::read).collect();
        Ok(Page { items: items?, next: page.next })
    }

    /// Err: `NotFound`.
    pub async fn remove(&self, name: &str, environment: Environment) -> Result<(), Error> {
        match self.stored().remove(name, environment).await? {
            true => Ok(()),
            false => Err(Error::not_found("secret", format!("{name} ({environment})"))),
        }
    }

    fn stored(&self) -> StoredSecrets<'_> {
        self.effects.shared.store.secrets(self.scope)
    }

    /// The one to encrypt with, made when there is none. Err: `Vault`.
    async fn current_key(&self, at: Timestamp) -> Result<DataKey, Error> {
        match self.stored().current_key().await? {
            Some(key) => Ok(self.effects.shared.vault.unwrap(&key)?),
            None => self.add_key(1, at).await,
        }
    }

    /// A new key of this version, or the one that somebody else was faster to make. Err: `Vault`.
    async fn add_key(&self, version: u32, at: Timestamp) -> Result<DataKey, Error> {
        let tenant = self.scope.tenant().clone();
        let made: TenantKey = self.effects.shared.vault.make(tenant, version, at)?;
        let stored = self.stored().add_key(made).await?;
        Ok(self.effects.shared.vault.unwrap(&stored)?)
    }
}

impl SecretInfo {
    fn read(row: SecretRow) -> Result<Self, Error> {
        Ok(Self {
            hosts: hosts_of(&row)?,
            name: row.name,
            environment: row.environment,
            expires_at: row.expires_at,
            version: row.version,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        })
    }
}

fn hosts_of(row: &SecretRow) -> Result<Vec<HostPattern>, Error> {
    serde_json::from_str(&row.hosts).map_err(|error| {
        StoreError::Corrupt { what: "the hosts of a secret", detail: error.to_string() }.into()
    })
}

/// What a value is bound to: it does not open in another row, nor when its hosts or its end were changed outside of
/// this program.
fn binding(row: &SecretRow) -> Vec<u8> {
    let expires = row.expires_at.map_or_else(|| "never".to_owned(), |at| at.as_millis().to_string());
    vault::binding(&[
        "secret",
        row.tenant.as_str(),
        &row.name,
        row.environment.as_str(),
        &row.hosts,
        &expires,
    ])
}
