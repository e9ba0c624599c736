//! Plugins: the actions that a tenant can use, and what is installed with which consent.

use quantum_catalog::{CapabilityDiff, InstalledPlugin, Origin};
use quantum_core::installation::Settings;
use quantum_core::manifest::{ActionManifest, HostPattern};
use quantum_core::problem::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::codes;
use crate::problem::Problem;

/// A plugin whose actions resolve by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(crate) struct PluginBody {
    /// `namespace:name`.
    pub id: String,
    pub version: String,
    pub title: String,
    pub description: String,
    pub actions: Vec<ActionBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
pub(crate) struct ActionBody {
    pub name: String,
    pub title: String,
    pub description: String,
    pub aliases: Vec<String>,
    /// JSON Schema (2020-12).
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// JSON Schema (2020-12).
    #[schema(value_type = Object)]
    pub result: Value,
    pub idempotent: bool,
    pub side_effects: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginList {
    pub items: Vec<PluginBody>,
    pub next_page_token: Option<String>,
}

/// One version of a plugin in the tenant, with what was consented to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Installation)]
pub(crate) struct InstallationBody {
    pub plugin: String,
    pub version: String,
    /// Digest of the component.
    pub component: String,
    /// False: an earlier version, kept for executions that are pinned to it.
    pub active: bool,
    /// Comes with the host.
    pub bundled: bool,
    pub trust: &'static str,
    pub signature: &'static str,
    pub actions: Vec<String>,
    pub capabilities: Vec<&'static str>,
    pub hosts: Vec<String>,
    /// As they were written: `config`, `secrets`, `endpoints`, `defaults`, `environments`.
    #[schema(value_type = Object)]
    pub settings: Settings,
    pub memory_bytes_max: Option<u64>,
    pub installed_by: Option<String>,
    pub installed_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstallationList {
    pub items: Vec<InstallationBody>,
    pub next_page_token: Option<String>,
}

/// What to agree to. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Configure)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigureBody {
    /// Patterns that fill the plugin's slots.
    #[serde(default)]
    pub allow_hosts: Vec<String>,
    /// `config`, `secrets`, `endpoints`, `defaults`, `key_prefix`, `artifact_prefixes`, and `environments` with what
    /// differs there.
    #[schema(value_type = Object)]
    pub settings: Option<Settings>,
}

impl ConfigureBody {
    pub fn hosts(&self) -> Result<Vec<HostPattern>, Problem> {
        let host = |(at, text): (usize, &String)| {
            HostPattern::parse(text).map_err(|error| {
                let finding = Finding::error(
                    format!("/allow_hosts/{at}"),
                    codes::INVALID_CONSENT.code,
                    error.to_string(),
                );
                Problem::new(&codes::INVALID_CONSENT).detail(error.to_string()).finding(finding)
            })
        };
        self.allow_hosts.iter().enumerate().map(host).collect()
    }
}

/// What was installed, and what changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Installed)]
pub(crate) struct InstalledBody {
    #[serde(flatten)]
    pub installation: InstallationBody,
    #[schema(value_type = Object)]
    pub diff: CapabilityDiff,
    /// Warnings of the check.
    pub findings: Vec<super::FindingBody>,
}

impl From<&InstalledPlugin> for PluginBody {
    fn from(plugin: &InstalledPlugin) -> Self {
        let manifest = &plugin.manifest;
        Self {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            title: manifest.title.clone(),
            description: manifest.description.clone(),
            actions: manifest.actions.iter().map(Into::into).collect(),
        }
    }
}

impl From<&ActionManifest> for ActionBody {
    fn from(action: &ActionManifest) -> Self {
        Self {
            name: action.name.clone(),
            title: action.title.clone(),
            description: action.description.clone(),
            aliases: action.aliases.clone(),
            parameters: action.parameters.clone(),
            result: action.result.clone(),
            idempotent: action.idempotent,
            side_effects: action.side_effects,
        }
    }
}

impl From<&InstalledPlugin> for InstallationBody {
    fn from(plugin: &InstalledPlugin) -> Self {
        let (manifest, grant) = (&plugin.manifest, &plugin.grant);
        let (installed_by, installed_at) = match &plugin.origin {
            Origin::Bundled => (None, None),
            Origin::Installed { by, at } => (Some(by.to_string()), Some(at.to_string())),
        };
        Self {
            plugin: manifest.id.clone(),
            version: manifest.version.clone(),
            component: plugin.component.to_string(),
            active: plugin.active,
            bundled: plugin.origin == Origin::Bundled,
            trust: plugin.trust.as_str(),
            signature: plugin.signature.as_str(),
            actions: manifest.actions.iter().map(|action| action.name.clone()).collect(),
            capabilities: grant.capabilities.iter().map(|capability| capability.as_str()).collect(),
            hosts: grant.hosts.iter().map(ToString::to_string).collect(),
            settings: plugin.settings.written().clone(),
            memory_bytes_max: grant.memory_bytes_max,
            installed_by,
            installed_at,
        }
    }
}
