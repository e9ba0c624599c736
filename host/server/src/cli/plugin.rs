//! `quantum plugin …`

use std::io;
use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::Context;
use super::client::{Client, segment};
use super::consent::ConsentArgs;
use super::error::CliError;
use super::output::{Column, cell};
use crate::plugin::{
    BuildArgs, DevArgs, Ended, InspectArgs, NewArgs, PackArgs, ReplayArgs, RunArgs, TestArgs, build, dev,
    inspect, new, pack, replay, run, test,
};

const COLUMNS: &[Column] = &[
    ("PLUGIN", "plugin"),
    ("VERSION", "version"),
    ("BUNDLED", "bundled"),
    ("ACTIONS", "actions"),
    ("MAY CALL", "hosts"),
];

const FIELDS: &[Column] = &[
    ("plugin", "plugin"),
    ("version", "version"),
    ("component", "component"),
    ("bundled", "bundled"),
    ("actions", "actions"),
    ("may use", "capabilities"),
    ("may call", "hosts"),
    ("settings", "settings"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a plugin that builds and passes its tests as it stands
    New(NewArgs),
    /// Build a plugin into a packed component
    Build(BuildArgs),
    /// Run a plugin's cases in the real sandbox
    Test(TestArgs),
    /// Make one call of one action in the real sandbox, without a host
    Run(RunArgs),
    /// Make an attempt again that a host recorded, by the component as it is now and without a network
    Replay(ReplayArgs),
    /// Build and run the cases, or one call, each time that a file changes; ends on Ctrl-C
    Dev(DevArgs),
    /// Put a manifest into a component that was made elsewhere, in whatever language
    Pack(PackArgs),
    /// Show a component's manifest, imports, and the capabilities that its binary proves
    Inspect(InspectArgs),
    /// List the plugins that the tenant can use
    List,
    /// Install a packed component for the tenant: consent to what it may do
    Install {
        /// The packed component
        file: PathBuf,
        #[command(flatten)]
        consent: ConsentArgs,
        /// Accept what an upgrade may do beyond the version before
        #[arg(long)]
        accept_gains: bool,
    },
    /// Agree anew to a plugin: what it may call, and its settings. What is left out stays as it is
    Configure {
        /// namespace:name
        plugin: String,
        #[command(flatten)]
        consent: ConsentArgs,
    },
    /// Show an installed plugin: what it may do, and its settings
    Show {
        /// namespace:name
        plugin: String,
    },
    /// Remove a plugin in all its versions. Steps that would run one of them fail
    Uninstall {
        /// namespace:name
        plugin: String,
    },
}

impl PluginCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut out = io::stdout();
        match self {
            Self::New(args) => new(&args, &mut out).map(drop).map_err(CliError::Plugin),
            Self::Build(args) => build(&args, &mut out).await.map(drop).map_err(CliError::Plugin),
            Self::Run(args) => {
                let ended = run(&args, &mut out, &mut io::stderr()).await.map_err(CliError::Plugin)?;
                if ended == Ended::Completed { Ok(()) } else { Err(CliError::Ended(Box::new(ended))) }
            }
            Self::Replay(args) => {
                let recording = recording(context, &args).await?;
                let ended = replay(&args, &recording, &mut out, &mut io::stderr()).await;
                let ended = ended.map_err(CliError::Plugin)?;
                if ended == Ended::Completed { Ok(()) } else { Err(CliError::Ended(Box::new(ended))) }
            }
            Self::Dev(args) => dev(&args, &mut out).await.map_err(CliError::Plugin),
            Self::Pack(args) => pack(&args, &mut out).await.map(drop).map_err(CliError::Plugin),
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
            Self::Install { file, consent, accept_gains } => {
                let mut query = consent.query()?;
                query.extend(accept_gains.then(|| "accept_gains=true".to_owned()));
                install(context, file, &query.join("&")).await
            }
            Self::Configure { plugin, consent } => {
                let client = Client::in_tenant(context).await?;
                let now = client.get(&path(&plugin)).await?;
                let body = consent.body(now.body.get("settings"))?;
                let answer = client.send(Method::PUT, &path(&plugin), Some(&body), None).await?;
                Ok(context.output.line(&agreed("configured", &answer.body), &answer.body)?)
            }
            Self::Show { plugin } => {
                let answer = Client::in_tenant(context).await?.get(&path(&plugin)).await?;
                Ok(context.output.fields(&answer.body, FIELDS)?)
            }
            Self::Uninstall { plugin } => {
                let answer = Client::in_tenant(context).await?.delete(&path(&plugin)).await?;
                Ok(context.output.line(&format!("uninstalled {plugin}"), &answer.body)?)
            }
        }
    }
}

/// From its file, or from the host.
async fn recording(context: &Context, args: &ReplayArgs) -> Result<Vec<u8>, CliError> {
    if let Some(path) = &args.recording {
        return std::fs::read(path).map_err(|source| CliError::File { path: path.clone(), source });
    }
    let (execution, step) = (args.execution.as_deref(), args.step.as_deref());
    let (execution, step) = (segment(execution.unwrap_or_default()), segment(step.unwrap_or_default()));
    let query = [
        args.attempt.map(|attempt| format!("attempt={attempt}")),
        args.element.map(|element| format!("element={element}")),
        args.compensation.then(|| "compensation=true".to_owned()),
    ];
    let query: Vec<String> = query.into_iter().flatten().collect();
    let path = format!("/api/v1/executions/{execution}/steps/{step}/recording?{}", query.join("&"));
    Client::in_tenant(context).await?.bytes(path.trim_end_matches('?')).await
}

fn path(plugin: &str) -> String {
    format!("/api/v1/installations/{}", segment(plugin))
}

/// What was agreed to, in full: nobody should have to ask.
fn agreed(done: &str, body: &Value) -> String {
    let (plugin, version) = (cell(body, "plugin"), cell(body, "version"));
    let listed =
        |name| Some(cell(body, name)).filter(|text| !text.is_empty()).unwrap_or_else(|| "nothing".to_owned());
    let (may, hosts) = (listed("capabilities"), listed("hosts"));
    format!("{done} {plugin} {version}; it may use: {may}; it may call: {hosts}")
}

async fn install(context: &Context, file: PathBuf, query: &str) -> Result<(), CliError> {
    let bytes = std::fs::read(&file).map_err(|source| CliError::File { path: file, source })?;
    let path = format!("/api/v1/installations?{query}");
    let answer = Client::in_tenant(context).await?.upload(&path, "application/wasm", bytes.into()).await?;
    Ok(context.output.line(&agreed("installed", &answer.body), &answer.body)?)
}
