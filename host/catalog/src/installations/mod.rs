//! Plugins that a tenant installs: what they ask for, what the installer allows, and what an upgrade changes.

mod consent;
mod diff;
mod install;
mod settings;
mod turns;

use quantum_core::id::{Digest, PrincipalId};
use quantum_core::installation::Settings;
use quantum_core::manifest::{HostPattern, Manifest};
use quantum_store::TenantScope;
use std::sync::Arc;

use crate::Catalog;
use crate::directory::InstalledPlugin;

pub use consent::grant;
pub use diff::CapabilityDiff;
pub(crate) use turns::Changes;

/// A plugin from a file, with the manifest that was read from it. An administrator's word makes it trusted in the
/// tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Install {
    pub manifest: Manifest,
    pub component: Digest,
    pub consent: Consent,
    pub installed_by: PrincipalId,
}

/// What the installer says beside "install it".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Consent {
    /// For the plugin's slots. None given on an upgrade: those of the installed version.
    pub hosts: Vec<HostPattern>,
    /// None on an upgrade: those of the installed version.
    pub settings: Option<Settings>,
    /// What an upgrade gains was shown, and is wanted.
    pub accept_gains: bool,
}

/// A plugin that names resolve to from now on, and what changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    pub plugin: Arc<InstalledPlugin>,
    pub diff: CapabilityDiff,
}

/// The plugins of one tenant.
pub struct Installations<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) scope: &'a TenantScope,
}
