//! `quantum plugin …`

use std::io;
use std::path::PathBuf;

use clap::Subcommand;

use super::Context;
use super::client::{Client, segment};
use super::error::CliError;
use super::intent::read_json;
use super::output::{Column, cell};
use crate::plugin::{BuildArgs, InspectArgs, TestArgs, build, inspect, test};

const COLUMNS: &[Column] = &[
    ("PLUGIN", "plugin"),
    ("VERSION", "version"),
    ("BUNDLED", "bundled"),
    ("ACTIONS", "actions"),
    ("MAY CALL", "hosts"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Build a plugin's crate into a packed component
    Build(BuildArgs),
    /// Run a plugin's cases in the real sandbox
    Test(TestArgs),
    /// Show a component's manifest, imports, and the capabilities that its binary proves
    Inspect(InspectArgs),
    /// List the plugins that the tenant can use
    List,
    /// Install a packed component for the tenant: consent to what it may do
    Install {
        file: PathBuf,
        /// A host that it may call, for example https://api.example.com or http://127.0.0.1:*; may be repeated
        #[arg(long = "allow-host", value_name = "URL")]
        allow_hosts: Vec<String>,
        /// Configuration as JSON text, or @FILE
        #[arg(long, value_name = "JSON")]
        config: Option<String>,
        /// Accept what an upgrade may do beyond the version before
        #[arg(long)]
        accept_gains: bool,
    },
}

impl PluginCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut out = io::stdout();
        match self {
            Self::Build(args) => build(&args, &mut out).await.map(drop).map_err(CliError::Plugin),
            Self::Inspect(args) => inspect(&args, &mut out).await.map(drop).map_err(CliError::Plugin),
            Self::Test(args) => {
                let summary = test(&args, &mut out).await.map_err(CliError::Plugin)?;
                if summary.failed == 0 {
                    Ok(())
                } else {
                    Err(CliError::Failed(format!("{} cases failed", summary.failed)))
                }
            }
            Self::List => {
                let answer = Client::in_tenant(context).await?.get("/api/v1/installations").await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Install { file, allow_hosts, config, accept_gains } => {
                install(context, file, &query(&allow_hosts, config.as_deref(), accept_gains)?).await
            }
        }
    }
}

/// What the installer consents to.
fn query(hosts: &[String], config: Option<&str>, accept_gains: bool) -> Result<String, CliError> {
    let hosts = hosts.iter().map(|host| format!("allow_host={}", segment(host)));
    let config = config.map(read_config).transpose()?.map(|text| format!("config={}", segment(&text)));
    let gains = accept_gains.then(|| "accept_gains=true".to_owned());
    Ok(hosts.chain(config).chain(gains).collect::<Vec<_>>().join("&"))
}

fn read_config(text: &str) -> Result<String, CliError> {
    match text.strip_prefix('@') {
        Some(path) => Ok(read_json(path.as_ref())?.to_string()),
        None => Ok(text.to_owned()),
    }
}

async fn install(context: &Context, file: PathBuf, query: &str) -> Result<(), CliError> {
    let bytes = std::fs::read(&file).map_err(|source| CliError::File { path: file, source })?;
    let path = format!("/api/v1/installations?{query}");
    let answer = Client::in_tenant(context).await?.upload(&path, bytes).await?;
    let (plugin, version) = (cell(&answer.body, "plugin"), cell(&answer.body, "version"));
    let text = format!("installed {plugin} {version}; it may call: {}", cell(&answer.body, "hosts"));
    Ok(context.output.line(&text, &answer.body)?)
}
