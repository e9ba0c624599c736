//! The flags of `quantum serve`. Every option has its unit and default in the help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use quantum_engine::EngineOptions;
use quantum_store::PostgresOptions;

use super::file::{FileError, SettingsFile};
use super::{ADMIN_LISTEN_DEFAULT, LEASE_MS, LISTEN_DEFAULT, Settings, StoreSettings, default_data_dir};

#[derive(Debug, Clone, Default, Args)]
pub struct ServeOptions {
    /// Folder of the database, blobs and keys; made at the first start [default: the user's data folder]
    #[arg(long, env = "QUANTUM_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL database to use instead of a file: postgres://user:password@host:5432/database?sslmode=verify-full
    /// [default: quantum.db in the data folder]
    #[arg(long, env = "QUANTUM_STORE", hide_env_values = true, value_name = "URL")]
    pub store: Option<String>,
    /// Login that may change the schema, used at the start when the schema is older than this program's
    #[arg(long, env = "QUANTUM_STORE_OWNER", hide_env_values = true, value_name = "URL")]
    pub store_owner: Option<String>,
    /// Connections to PostgreSQL at most [default: 16]
    #[arg(long, env = "QUANTUM_STORE_CONNECTIONS", value_name = "N")]
    pub store_connections: Option<u32>,
    /// Folder of keys, blobs, artifacts and archive, which all nodes of a PostgreSQL store share; with --blobs, of keys
    /// alone [default: the data folder]
    #[arg(long, env = "QUANTUM_SHARED_DIR", value_name = "DIR")]
    pub shared_dir: Option<PathBuf>,
    /// Bucket of an S3-compatible object store for blobs, artifacts and archive: s3://BUCKET/PREFIX; credentials are in
    /// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY [default: they lie in the shared folder]
    #[arg(long, env = "QUANTUM_BLOBS", value_name = "URL")]
    pub blobs: Option<String>,
    /// Name of this node among those of a PostgreSQL store [default: the machine's name]
    #[arg(long, env = "QUANTUM_NODE", value_name = "NAME")]
    pub node: Option<String>,
    /// Configuration file [default: quantum.toml in the data folder, when it is there]
    #[arg(long, env = "QUANTUM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port of the API; port 0 takes a free one [default: 127.0.0.1:7780]
    #[arg(long, env = "QUANTUM_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address and port of health and metrics; port 0 takes a free one [default: 127.0.0.1:7781, or port 0 when
    /// --listen has port 0]
    #[arg(long, env = "QUANTUM_ADMIN_LISTEN", value_name = "ADDR")]
    pub admin_listen: Option<SocketAddr>,
    /// Write the base URL of the API, and on a second line that of health and metrics, into this file once both listen
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Folder of the bundled plugins [default: plugins beside the executable]
    #[arg(long, env = "QUANTUM_PLUGINS_DIR", value_name = "DIR")]
    pub plugins_dir: Option<PathBuf>,
    /// Folder of Cedar policies beside the shipped ones
    #[arg(long, env = "QUANTUM_POLICIES_DIR", value_name = "DIR")]
    pub policies_dir: Option<PathBuf>,
    /// For rehearsals: milliseconds by which this host's clock is ahead of the machine's, or behind when negative
    #[arg(
        long,
        env = "QUANTUM_REHEARSAL_CLOCK_SHIFT_MS",
        value_name = "MS",
        allow_negative_numbers = true,
        hide = true
    )]
    pub rehearsal_clock_shift_ms: Option<i64>,
    /// Program that compiles components when it is started with `compile-component`; none: they are compiled in this
    /// process
    #[arg(skip)]
    pub compiler: Option<PathBuf>,
}

impl ServeOptions {
    /// Brings file and flags together; a flag wins.
    pub fn settle(self) -> Result<Settings, FileError> {
        let data_dir = self.data_dir.unwrap_or_else(default_data_dir);
        let file = match &self.config {
            Some(path) => SettingsFile::read(path)?,
            None => SettingsFile::read_if_there(&data_dir.join("quantum.toml"))?,
        };
        let plugins = file.consents()?;
        let listen = pick(self.listen.or(file.listen), LISTEN_DEFAULT);
        let admin_default = if listen.port() == 0 { "127.0.0.1:0" } else { ADMIN_LISTEN_DEFAULT };
        let engine = EngineOptions::default();
        let (sandbox, compile) = super::sandbox::sandbox(&file.sandbox)?;
        let bucket = super::blobs::bucket(&file, self.blobs)?;
        let store = store(&file, self.store, self.store_owner, self.store_connections)?;
        let shared_dir = self.shared_dir.or(file.shared_dir).unwrap_or_else(|| data_dir.clone());
        if matches!(store, StoreSettings::Sqlite) && shared_dir != data_dir {
            return Err(FileError::Shared { path: shared_dir });
        }
        Ok(Settings {
            store,
            node: self.node.or(file.node).unwrap_or_else(machine_name),
            lease_ms: file.engine.lease_ms.unwrap_or(LEASE_MS),
            shared_dir,
            bucket,
            data_dir,
            listen,
            admin_listen: pick(self.admin_listen.or(file.admin_listen), admin_default),
            ready_file: self.ready_file,
            plugins_dir: self.plugins_dir.or(file.plugins_dir),
            policies_dir: self.policies_dir.or(file.policies_dir),
            allow_cidrs: file.egress.allow_cidrs,
            plugins,
            issuers: file.issuers,
            attempts_max: file.engine.attempts_max.unwrap_or(engine.attempts_max),
            sandbox,
            compile,
            compiler: self.compiler,
            shutdown_grace_ms: file.engine.shutdown_grace_ms.unwrap_or(engine.shutdown_grace_ms),
            clock_shift_ms: self.rehearsal_clock_shift_ms.unwrap_or(0),
        })
    }
}

/// As the system says it.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let name = name.unwrap_or_default().trim().to_owned();
    if name.is_empty() { "local".to_owned() } else { name }
}

/// Everything but the address is about PostgreSQL, and without effect beside a file.
fn store(
    file: &SettingsFile,
    url: Option<String>,
    owner_url: Option<String>,
    connections: Option<u32>,
) -> Result<StoreSettings, FileError> {
    let Some(url) = url.or_else(|| file.store.clone()) else { return Ok(StoreSettings::Sqlite) };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(FileError::Store);
    }
    let defaults = PostgresOptions::new(url);
    Ok(StoreSettings::Postgres(PostgresOptions {
        owner_url,
        connections: connections.or(file.store_connections).unwrap_or(defaults.connections),
        ..defaults
    }))
}

fn pick(given: Option<SocketAddr>, default: &str) -> SocketAddr {
    given.or_else(|| default.parse().ok()).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}
