//! A plugin as a tenant has it: what it says of itself, and what it may do there.

use std::sync::Arc;

use quantum_core::id::{Digest, PrincipalId};
use quantum_core::installation::{Settings, SettingsTable};
use quantum_core::manifest::{ActionManifest, Manifest};
use quantum_core::port::{ActionEntry, Grant};
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Signature, Trust};
use quantum_store::{Error as StoreError, Installation};
use serde::de::DeserializeOwned;

use super::schemas::Schemas;

/// A plugin that comes with the host. Every tenant sees it; the operator's configuration is the consent.
#[derive(Debug, Clone)]
pub struct Bundled {
    pub manifest: Manifest,
    pub component: Digest,
    pub grant: Grant,
    pub settings: Settings,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct InstalledPlugin {
    pub manifest: Manifest,
    pub component: Digest,
    pub grant: Grant,
    pub settings: Arc<SettingsTable>,
    pub trust: Trust,
    pub signature: Signature,
    /// Names resolve to it. Earlier versions stay for the executions that are pinned to them.
    pub active: bool,
    pub origin: Origin,
}

/// Where an installation comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Bundled,
    Installed { by: PrincipalId, at: Timestamp },
}

impl InstalledPlugin {
    /// `namespace:name`.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    pub(super) fn bundled(bundled: Bundled) -> Self {
        Self {
            manifest: bundled.manifest,
            component: bundled.component,
            grant: bundled.grant,
            settings: Arc::new(SettingsTable::new(bundled.settings)),
            trust: Trust::Builtin,
            signature: Signature::Verified,
            active: true,
            origin: Origin::Bundled,
        }
    }

    /// Err: the row cannot have been written by this program.
    pub(super) fn read(row: Installation) -> Result<Self, StoreError> {
        let manifest: Manifest = parse("the manifest of an installation", &row.manifest)?;
        let mut grant: Grant = parse("the consent of an installation", &row.consent)?;
        grant.slots = manifest.capabilities.http.as_ref().map(|http| http.slots.clone()).unwrap_or_default();
        Ok(Self {
            manifest,
            grant,
            settings: Arc::new(SettingsTable::new(parse("the settings of an installation", &row.settings)?)),
            component: row.component,
            trust: row.trust,
            signature: row.signature,
            active: row.active,
            origin: Origin::Installed { by: row.installed_by, at: row.installed_at },
        })
    }

    /// Its actions, in the manifest's order.
    pub(super) fn entries(&self, schemas: &Schemas) -> Vec<Arc<ActionEntry>> {
        let actions = self.manifest.actions.iter().zip(schemas.actions());
        actions
            .map(|(action, (parameters, result))| {
                Arc::new(ActionEntry {
                    plugin: self.manifest.id.clone(),
                    version: self.manifest.version.clone(),
                    component: self.component.clone(),
                    manifest: action.clone(),
                    parameters: parameters.clone(),
                    result: result.clone(),
                    trust: self.trust,
                    signature: self.signature,
                    grant: self.grant.clone(),
                    settings: Arc::clone(&self.settings),
                })
            })
            .collect()
    }
}

/// The names that an action answers to.
pub(super) fn names(action: &ActionManifest) -> impl Iterator<Item = &String> {
    std::iter::once(&action.name).chain(&action.aliases)
}

fn parse<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what, detail: error.to_string() })
}
