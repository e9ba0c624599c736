//! Settings: built in, overridden by `quantum.toml`, overridden by the environment and flags.

mod blobs;
mod file;
mod options;
mod sandbox;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use quantum_core::installation::Settings as InstallationSettings;
use quantum_core::manifest::HostPattern;
use quantum_sandbox::{CompileLimits, SandboxOptions};
use quantum_store::{BucketOptions, PostgresOptions};

pub use file::{FileError, IssuerFile, SettingsFile};
pub use options::ServeOptions;

/// Where the API listens when nothing else is said: this machine only.
pub const LISTEN_DEFAULT: &str = "127.0.0.1:7780";
/// Where health and metrics are when nothing else is said: this machine only.
pub const ADMIN_LISTEN_DEFAULT: &str = "127.0.0.1:7781";

/// Milliseconds of a node's lease when nothing else is said.
pub const LEASE_MS: u64 = 10_000;

/// Everything that a host is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub store: StoreSettings,
    /// Of this process among the nodes of its store.
    pub node: String,
    /// Milliseconds without a heartbeat after which other nodes take over what this one runs.
    pub lease_ms: u64,
    /// Keys, and without a bucket blobs, artifacts and the archive: one folder for all nodes of a store.
    pub shared_dir: PathBuf,
    /// Where blobs, artifacts and the archive lie. None: in the shared folder.
    pub bucket: Option<BucketOptions>,
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    /// Where the base URLs are written once the host listens.
    pub ready_file: Option<PathBuf>,
    /// Bundled components; none: `plugins` beside the executable.
    pub plugins_dir: Option<PathBuf>,
    /// Policies beside the shipped ones.
    pub policies_dir: Option<PathBuf>,
    /// Ranges of addresses that are not public and that steps may call all the same.
    pub allow_cidrs: Vec<IpNet>,
    /// Consent for bundled plugins, by the name after the colon of their id.
    pub plugins: BTreeMap<String, PluginConsent>,
    /// HS256 issuers beside the embedded one.
    pub issuers: Vec<IssuerFile>,
    /// Attempts that run at the same time.
    pub attempts_max: usize,
    /// Bounds of the sandbox; its folder, key and network come from the rest.
    pub sandbox: SandboxOptions,
    /// Bounds of a compiler's process.
    pub compile: CompileLimits,
    /// Program that compiles components; none: this process does.
    pub compiler: Option<PathBuf>,
    /// Milliseconds that running attempts get when the host stops.
    pub shutdown_grace_ms: u64,
    /// Milliseconds by which the host's clock is set wrong, for rehearsals. 0: it is the machine's.
    pub clock_shift_ms: i64,
}

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// A file in the data folder.
    Sqlite,
    Postgres(PostgresOptions),
}

/// What the operator allows a bundled plugin.
#[derive(Debug, Clone, Default)]
pub struct PluginConsent {
    pub hosts: Vec<HostPattern>,
    pub settings: InstallationSettings,
}

/// `QUANTUM_DATA_DIR`, else the user's data folder, else `.quantum` here.
pub fn default_data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    base.map_or_else(|| PathBuf::from(".quantum"), |base| base.join("quantum"))
}
