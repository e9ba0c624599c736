//! `quantum doctor`: each check says what it found, and what to type when something is wrong.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use clap::Args;
use quantum_store::{Bucket, PostgresOptions};
use serde_json::{Value, json};

use super::error::CliError;
use super::output::Output;
use super::{Context, DataDir};
use crate::bundled;
use crate::keys::Keys;
use crate::settings::{ServeOptions, Settings, StoreSettings};

#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    data_dir: DataDir,
    /// PostgreSQL database of the host, as `quantum serve` has it
    #[arg(long, env = "QUANTUM_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<String>,
    /// Folder that the nodes share, as `quantum serve` has it
    #[arg(long, env = "QUANTUM_SHARED_DIR", value_name = "DIR")]
    shared_dir: Option<PathBuf>,
    /// Bucket of blobs, as `quantum serve` has it
    #[arg(long, env = "QUANTUM_BLOBS", value_name = "URL")]
    blobs: Option<String>,
    /// Folder of the bundled plugins, as `quantum serve` has it
    #[arg(long, env = "QUANTUM_PLUGINS_DIR", value_name = "DIR")]
    plugins_dir: Option<PathBuf>,
    /// Folder of Cedar policies beside the shipped ones, as `quantum serve` has it
    #[arg(long, env = "QUANTUM_POLICIES_DIR", value_name = "DIR")]
    policies_dir: Option<PathBuf>,
}

/// What one check found. Err: what is wrong, with what mends it.
struct Check {
    name: &'static str,
    found: Result<String, String>,
}

impl DoctorOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let options = ServeOptions {
            data_dir: Some(self.data_dir.path()),
            store: self.store,
            shared_dir: self.shared_dir,
            blobs: self.blobs,
            plugins_dir: self.plugins_dir,
            policies_dir: self.policies_dir,
            ..ServeOptions::default()
        };
        let mut checks = Vec::new();
        match options.settle() {
            Err(error) => checks.push(Check { name: "configuration", found: Err(crate::chain(&error)) }),
            Ok(settings) => {
                checks.push(Check { name: "configuration", found: Ok("readable".into()) });
                checks.extend(check_files(&settings).await);
            }
        }
        checks.push(Check { name: "host", found: check_host(context) });
        report(context.output, &checks)
    }
}

async fn check_files(settings: &Settings) -> Vec<Check> {
    let keys =
        Keys::read(&settings.shared_dir).map(|_| "private".to_owned()).map_err(|error| crate::chain(&error));
    vec![
        Check { name: "data folder", found: check_folder(&settings.data_dir) },
        Check { name: "keys", found: keys },
        Check { name: "database", found: check_database(settings).await },
        Check { name: "blobs", found: check_blobs(settings).await },
        Check { name: "policies", found: check_policies(settings.policies_dir.as_deref()) },
        Check { name: "bundled plugins", found: check_plugins(settings) },
    ]
}

fn check_folder(dir: &Path) -> Result<String, String> {
    match std::fs::metadata(dir) {
        Ok(found) if found.is_dir() => Ok(dir.display().to_string()),
        Ok(_) => Err(format!("{} is not a folder; name another with --data-dir", dir.display())),
        Err(error) => Err(format!("{}: {error}; it is made by: quantum serve", dir.display())),
    }
}

async fn check_database(settings: &Settings) -> Result<String, String> {
    match &settings.store {
        StoreSettings::Sqlite => check_file(&settings.data_dir).await,
        StoreSettings::Postgres(options) => check_postgres(options).await,
    }
}

async fn check_file(dir: &Path) -> Result<String, String> {
    let path = dir.join(crate::wire::DATABASE);
    if !path.exists() {
        return Err(format!("{} is not there; it is made by: quantum serve", path.display()));
    }
    let options = quantum_store::StoreOptions { readers: 1, ..quantum_store::StoreOptions::new(path) };
    let store = quantum_store::Store::open(options).await.map_err(|error| crate::chain(&error))?;
    count_tenants(&store).await
}

/// All findings, where a start tells of the first.
async fn check_postgres(options: &PostgresOptions) -> Result<String, String> {
    let findings = quantum_store::inspect(&options.url).await.map_err(|error| crate::chain(&error))?;
    if !findings.is_empty() {
        let lines = findings.iter().map(|finding| format!("{}; {}", finding.text, finding.remedy));
        return Err(lines.collect::<Vec<_>>().join("\n       "));
    }
    let store = quantum_store::Store::connect(options.clone()).await.map_err(|error| crate::chain(&error))?;
    count_tenants(&store).await.map(|found| format!("{found}, row-level security holds for this login"))
}

async fn count_tenants(store: &quantum_store::Store) -> Result<String, String> {
    let tenants = store.platform().tenants().await.map_err(|error| crate::chain(&error))?;
    Ok(format!("opens, {} tenants", tenants.len()))
}

/// A bucket is tried out: something small is put, read and deleted.
async fn check_blobs(settings: &Settings) -> Result<String, String> {
    let Some(options) = &settings.bucket else {
        return Ok(format!("in the folder {}", settings.shared_dir.display()));
    };
    let bucket = Bucket::new(options.clone()).map_err(|error| crate::chain(&error))?;
    bucket.probe().await.map_err(|error| crate::chain(&error))?;
    Ok(format!("in {}, which can be listed, read and written", options.address))
}

fn check_policies(dir: Option<&Path>) -> Result<String, String> {
    let report = dir.map_or_else(quantum_policy::check_shipped, quantum_policy::check);
    if report.passed() {
        return Ok("fine".into());
    }
    let command = dir.map_or_else(String::new, |dir| format!(" {}", dir.display()));
    Err(format!("{} findings; see them with: quantum policy check{command}", report.findings.len()))
}

fn check_plugins(settings: &Settings) -> Result<String, String> {
    let files = bundled::files(settings).map_err(|error| crate::chain(&error))?;
    if files.is_empty() {
        let hint = "build them with: cargo xtask plugins, or name their folder with --plugins-dir";
        return Err(format!("none beside the executable; {hint}"));
    }
    Ok(format!("{} files", files.len()))
}

fn check_host(context: &Context) -> Result<String, String> {
    let start = "start one with: quantum serve, or name it with --url";
    let url = url::Url::parse(&context.url).map_err(|error| format!("{}: {error}; {start}", context.url))?;
    let addresses = url.socket_addrs(|| None).map_err(|error| format!("{url}: {error}; {start}"))?;
    TcpStream::connect(addresses.as_slice())
        .map(|_| format!("listens at {url}"))
        .map_err(|error| format!("{url}: {error}; {start}"))
}

fn report(output: Output, checks: &[Check]) -> Result<(), CliError> {
    let wrong = checks.iter().filter(|check| check.found.is_err()).count();
    if output == Output::Json {
        let items: Vec<Value> = checks
            .iter()
            .map(|check| match &check.found {
                Ok(found) => json!({ "check": check.name, "ok": true, "found": found }),
                Err(found) => json!({ "check": check.name, "ok": false, "found": found }),
            })
            .collect();
        output.value(&json!({ "items": items }))?;
    } else {
        for check in checks {
            let (mark, text) = match &check.found {
                Ok(text) => ("ok   ", text),
                Err(text) => ("WRONG", text),
            };
            writeln!(io::stdout(), "{mark}  {:<16} {text}", check.name)?;
        }
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(CliError::Failed(format!("{wrong} of {} checks found something", checks.len())))
    }
}
