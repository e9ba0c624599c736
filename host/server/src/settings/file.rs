//! `quantum.toml`. Unknown keys are refused, so that a misspelt one is not silently without effect.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use quantum_core::installation::{Endpoint, ParameterDefaults, Settings as InstallationSettings};
use quantum_core::manifest::{HostPattern, HostPatternError};
use quantum_core::vocabulary::Environment;
use quantum_store::InvalidAddress;
use serde::Deserialize;

use super::PluginConsent;
use super::sandbox::SandboxFile;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("read the configuration {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("understand the configuration {}", path.display())]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error(
        "use the store: it is the URL of a PostgreSQL database, postgres://user:password@host:5432/database; leave it out for a file in the data folder"
    )]
    Store,
    /// Whoever has the folder to himself removes what his database does not name: what others keep there would be lost.
    #[error(
        "use the shared folder {}: it is for the nodes of one PostgreSQL database, and no store is given; name it with --store, QUANTUM_STORE or `store`, or leave the shared folder out",
        path.display()
    )]
    Shared { path: PathBuf },
    #[error("use blobs")]
    Blobs(#[from] InvalidAddress),
    #[error(
        "use blob_store.endpoint: it is the URL of an object store, https://HOST:PORT, without a bucket, a path or a password"
    )]
    BlobEndpoint,
    #[error("use sandbox.{key}: {value} is not from {min} to {max}")]
    Sandbox { key: &'static str, value: u64, min: u64, max: u64 },
    #[error(
        "use sandbox.memory_bytes_default: {default} is more than sandbox.memory_bytes_ceiling, which is {ceiling}; lower the one or raise the other"
    )]
    SandboxMemory { default: u64, ceiling: u64 },
    #[error("understand plugins.{plugin}.allow_hosts in the configuration")]
    Host { plugin: String, source: HostPatternError },
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFile {
    pub listen: Option<SocketAddr>,
    pub admin_listen: Option<SocketAddr>,
    pub store: Option<String>,
    pub store_connections: Option<u32>,
    pub shared_dir: Option<PathBuf>,
    pub blobs: Option<String>,
    pub blob_store: BlobStoreFile,
    pub node: Option<String>,
    pub plugins_dir: Option<PathBuf>,
    pub policies_dir: Option<PathBuf>,
    pub egress: EgressFile,
    pub engine: EngineFile,
    pub sandbox: SandboxFile,
    pub plugins: BTreeMap<String, PluginFile>,
    pub issuers: Vec<IssuerFile>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressFile {
    pub allow_cidrs: Vec<IpNet>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineFile {
    pub attempts_max: Option<usize>,
    pub shutdown_grace_ms: Option<u64>,
    pub lease_ms: Option<u64>,
}

/// How the bucket in `blobs` is reached. Without credentials, which are in the environment alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobStoreFile {
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub path_style: Option<bool>,
    pub timeout_ms: Option<u64>,
}

/// Consent for a bundled plugin, and its settings; the keys beside `allow_hosts` are those of an installation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginFile {
    pub allow_hosts: Vec<String>,
    pub config: serde_json::Map<String, serde_json::Value>,
    pub secrets: BTreeMap<String, String>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub defaults: Vec<ParameterDefaults>,
    pub key_prefix: Option<String>,
    pub artifact_prefixes: Option<Vec<String>>,
    pub environments: BTreeMap<Environment, InstallationSettings>,
}

impl From<PluginFile> for InstallationSettings {
    fn from(file: PluginFile) -> Self {
        Self {
            config: file.config,
            secrets: file.secrets,
            endpoints: file.endpoints,
            defaults: file.defaults,
            key_prefix: file.key_prefix,
            artifact_prefixes: file.artifact_prefixes,
            environments: file.environments,
        }
    }
}

/// An issuer of HS256 tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerFile {
    /// What `iss` says. None: tokens without `iss` are taken to be this issuer's.
    #[serde(default)]
    pub issuer: Option<String>,
    /// What `aud` says. None: it is not looked at.
    #[serde(default)]
    pub audience: Option<String>,
    /// File with the secret, 32 bytes or more.
    pub secret_file: PathBuf,
    /// Memberships are made from the `tenant_id` and `roles` claims.
    #[serde(default)]
    pub provision: bool,
}

impl SettingsFile {
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| FileError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    pub fn read_if_there(path: &Path) -> Result<Self, FileError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        toml::from_str(text)
            .map_err(|source| FileError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    pub(super) fn consents(&self) -> Result<BTreeMap<String, PluginConsent>, FileError> {
        let consents = self.plugins.iter().map(|(name, plugin)| {
            let hosts: Result<Vec<_>, _> =
                plugin.allow_hosts.iter().map(|host| HostPattern::parse(host)).collect();
            let hosts = hosts.map_err(|source| FileError::Host { plugin: name.clone(), source })?;
            Ok((name.clone(), PluginConsent { hosts, settings: plugin.clone().into() }))
        });
        consents.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<SettingsFile, String> {
        SettingsFile::parse(Path::new("quantum.toml"), text).map_err(|error| match error {
            FileError::Parse { source, .. } => source.to_string(),
            other => other.to_string(),
        })
    }

    #[test]
    fn consent_for_a_bundled_plugin_is_read() {
        let file = check(
            "[egress]\nallow_cidrs = [\"127.0.0.0/8\"]\n[plugins.http]\nallow_hosts = [\"http://127.0.0.1:*\"]",
        );
        let consents = file.unwrap().consents().unwrap();
        assert_eq!(consents["http"].hosts[0].as_str(), "http://127.0.0.1:*");
    }

    #[test]
    fn a_misspelt_key_is_refused_with_its_line() {
        let error = check("listen = \"127.0.0.1:1\"\n[egres]\nallow_cidrs = []").unwrap_err();
        assert!(error.contains("unknown field `egres`") && error.contains("line 2"), "{error}");
    }
}
