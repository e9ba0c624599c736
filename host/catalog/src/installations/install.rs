//! Installing, upgrading and uninstalling.

use std::sync::Arc;

use quantum_core::id::PrincipalId;
use quantum_core::manifest::Manifest;
use quantum_core::problem::Finding;
use quantum_core::schema::Schema;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Signature, Trust};
use quantum_store::{Error as StoreError, Installation};
use serde::Serialize;

use super::consent::{Terms, agree, filled_hosts};
use super::{CapabilityDiff, Consent, Install, Installations, Installed};
use crate::Error;
use crate::directory::{InstalledPlugin, Origin, Snapshot};

impl Installations<'_> {
    /// What installing it would change; nothing is written. Err: `InvalidManifest`, `InvalidConsent`.
    pub async fn preview(&self, install: &Install) -> Result<CapabilityDiff, Error> {
        self.catalog.settle(self.scope).await?;
        let known = self.catalog.directory.snapshot();
        Ok(self.terms(install, &known)?.1)
    }

    /// Installs or upgrades. Once it returns, names resolve to this version, after a crash too. Err:
    /// `InvalidManifest`, `InvalidConsent`, `ConsentNeeded` (an upgrade that gains power), `VersionTaken`.
    pub async fn install(&self, install: Install, now: Timestamp) -> Result<Installed, Error> {
        let turn = self.catalog.turn(self.scope).await?;
        let known = self.catalog.directory.snapshot();
        let (terms, diff) = self.terms(&install, &known)?;
        self.check_version(&install, &known)?;
        let silent = diff.silent_gains(&install.consent.hosts);
        if let (Some(silent), false) = (silent, install.consent.accept_gains) {
            let Manifest { id, version, .. } = install.manifest;
            return Err(Error::ConsentNeeded { plugin: id, version, diff: Box::new(silent) });
        }
        let (id, component) = (install.manifest.id.clone(), install.component.clone());
        turn.announce();
        let row = self.row(install, &terms, known.bundled_trust(&id, &component), now)?;
        self.catalog.store.installations(self.scope).upsert(row).await?;
        turn.show().await?;
        Ok(Installed { plugin: self.in_force(&id)?, diff })
    }

    /// Agrees anew to the version that is in force: hosts and settings that are not given stay as they are. Configuring
    /// a bundled plugin makes the tenant's own installation of it. Err: `NotFound`, `InvalidConsent`.
    pub async fn configure(
        &self,
        plugin: &str,
        mut consent: Consent,
        by: PrincipalId,
        now: Timestamp,
    ) -> Result<Installed, Error> {
        let before = self.get(plugin).await?;
        if consent.hosts.is_empty() {
            consent.hosts = filled_hosts(&before);
        }
        consent.settings = consent.settings.or_else(|| Some(before.settings.written().clone()));
        let install = Install {
            manifest: before.manifest.clone(),
            component: before.component.clone(),
            consent: Consent { accept_gains: true, ..consent },
            installed_by: by,
        };
        self.install(install, now).await
    }

    /// All versions. Executions that are pinned to one of them cannot go on. Err: `NotFound`, `BundledPlugin`.
    pub async fn uninstall(&self, plugin: &str) -> Result<(), Error> {
        let turn = self.catalog.turn(self.scope).await?;
        if self.in_force(plugin)?.origin == Origin::Bundled {
            return Err(Error::BundledPlugin { plugin: plugin.to_owned() });
        }
        turn.announce();
        self.catalog.store.installations(self.scope).remove(plugin).await?;
        turn.show().await
    }

    /// By id, then the active version first. Bundled plugins too, unless the tenant replaced them.
    pub async fn list(&self) -> Result<Vec<Arc<InstalledPlugin>>, Error> {
        self.catalog.settle(self.scope).await?;
        Ok(self.catalog.directory.snapshot().plugins(self.scope.tenant()).to_vec())
    }

    /// The version that names resolve to. Err: `NotFound`.
    pub async fn get(&self, plugin: &str) -> Result<Arc<InstalledPlugin>, Error> {
        self.catalog.settle(self.scope).await?;
        self.in_force(plugin)
    }

    fn in_force(&self, plugin: &str) -> Result<Arc<InstalledPlugin>, Error> {
        let known = self.catalog.directory.snapshot();
        known.plugin(self.scope.tenant(), plugin).cloned().ok_or_else(|| Error::not_found("plugin", plugin))
    }

    fn terms(&self, install: &Install, known: &Snapshot) -> Result<(Terms, CapabilityDiff), Error> {
        let manifest = &install.manifest;
        check_manifest(manifest)?;
        let before = known.plugin(self.scope.tenant(), &manifest.id);
        // The operator's consent to a bundled plugin is not the tenant's.
        let own = before.filter(|before| before.origin != Origin::Bundled).map(Arc::as_ref);
        let terms = agree(manifest, &install.consent, own)
            .map_err(|findings| Error::InvalidConsent { plugin: manifest.id.clone(), findings })?;
        let before = before.map(|before| (&before.manifest, &before.grant));
        let diff = CapabilityDiff::between(before, manifest, &terms.grant);
        Ok((terms, diff))
    }

    /// Executions are pinned by component: another one under the same version would take theirs away.
    fn check_version(&self, install: &Install, known: &Snapshot) -> Result<(), Error> {
        let Manifest { id, version, .. } = &install.manifest;
        let taken = known.plugins(self.scope.tenant()).iter().any(|plugin| {
            plugin.id() == id
                && plugin.manifest.version == *version
                && plugin.origin != Origin::Bundled
                && plugin.component != install.component
        });
        if taken {
            return Err(Error::VersionTaken { plugin: id.clone(), version: version.clone() });
        }
        Ok(())
    }

    /// An administrator's word makes a file trusted; what came with the host is trusted as the host is.
    fn row(
        &self,
        install: Install,
        terms: &Terms,
        bundled: Option<Trust>,
        now: Timestamp,
    ) -> Result<Installation, Error> {
        Ok(Installation {
            tenant: self.scope.tenant().clone(),
            plugin: install.manifest.id.clone(),
            version: install.manifest.version.clone(),
            component: install.component,
            manifest: json_text("a manifest", &install.manifest)?,
            consent: json_text("a grant", &terms.grant)?,
            settings: json_text("settings", &terms.settings)?,
            trust: bundled.unwrap_or(Trust::Verified),
            signature: Signature::Verified,
            installed_by: install.installed_by,
            installed_at: now,
            active: true,
        })
    }
}

fn check_manifest(manifest: &Manifest) -> Result<(), Error> {
    let mut findings = manifest.check();
    if let Some(Err(why)) = manifest.config.as_ref().map(Schema::compile) {
        let message = format!("the JSON Schema of the configuration: {why}");
        findings.push(Finding::error("/config", "manifest-schema", message));
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::InvalidManifest { findings }) }
}

fn json_text(what: &'static str, value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    text.map_err(|error| StoreError::Corrupt { what, detail: error.to_string() }.into())
}
