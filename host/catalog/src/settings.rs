//! What an administrator sets for a tenant: targets, limits, retention.

use quantum_core::tenant::{Targets, TenantSettings};
use quantum_store::{Error as StoreError, NewSettings, SettingsInForce, TenantScope};
use serde_json::{Value, json};

use crate::intents::{Act, merge};
use crate::{Catalog, Error};

/// Times that a patch without `If-Match` is made anew because another change came first. At it: `Busy`.
const TRIES_MAX: usize = 5;

/// The settings of one tenant.
pub struct Settings<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) scope: &'a TenantScope,
}

impl Settings<'_> {
    /// From memory.
    pub fn in_force(&self) -> SettingsInForce {
        self.catalog.store.settings(self.scope).in_force()
    }

    /// From memory: the tenant's own names of places.
    pub fn targets(&self) -> Targets {
        self.in_force().settings.targets.clone()
    }

    /// The whole document; what it leaves out has its default from now on. Err: `InvalidSettings`, `RevisionConflict`.
    pub async fn replace(&self, source: &Value, act: Act) -> Result<SettingsInForce, Error> {
        let findings = TenantSettings::check(source);
        if !findings.is_empty() {
            return Err(Error::InvalidSettings { findings });
        }
        let new = NewSettings {
            document: source.to_string(),
            expected_revision: act.if_match,
            by: act.by,
            at: act.at,
        };
        Ok(self.catalog.store.settings(self.scope).put(new).await?)
    }

    /// A merge patch (RFC 7396) on what is stored; `null` gives a key its default. Err: `InvalidSettings`,
    /// `RevisionConflict`, `Busy`.
    pub async fn merge_patch(&self, patch: &Value, act: Act) -> Result<SettingsInForce, Error> {
        for _ in 0..TRIES_MAX {
            let (revision, written) = self.written().await?;
            if let Some(expected) = act.if_match
                && expected != revision
            {
                return Err(Error::RevisionConflict { current: revision });
            }
            let based = Act { if_match: Some(revision), ..act.clone() };
            match self.replace(&merge(written, patch), based).await {
                Err(Error::RevisionConflict { .. }) if act.if_match.is_none() => {}
                done => return done,
            }
        }
        Err(Error::BusySettings)
    }

    /// As it was written, with its revision.
    async fn written(&self) -> Result<(u64, Value), Error> {
        let Some(stored) = self.catalog.store.settings(self.scope).get().await? else {
            return Ok((0, json!({})));
        };
        let read = serde_json::from_str(&stored.document).map_err(|error| StoreError::Corrupt {
            what: "the settings of a tenant",
            detail: error.to_string(),
        })?;
        Ok((stored.revision, read))
    }
}
