//! The command line. `serve` runs a host; everything else talks to one over HTTP, or works on files.

mod artifact;
mod backup;
mod batch;
mod blueprint;
mod cancel;
mod client;
mod consent;
mod doctor;
mod error;
mod execution;
mod follow;
mod intent;
mod labels;
mod local;
mod migrate;
mod node;
mod output;
mod packed_folder;
mod plugin;
mod policy;
mod run;
mod schedule;
mod schema;
mod secret;
mod settings;
mod sse;
mod store;
mod tenant;
mod token;
mod usage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use error::{CliError, Exit};

use crate::settings::ServeOptions;
use output::Output;

/// Runs intents: versioned JSON documents whose steps are sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "quantum", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 not found, 5 no answer from the host."
)]
pub struct Cli {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

/// Which host, as whom, and how answers look.
#[derive(Debug, Clone, Args)]
pub(crate) struct Context {
    /// Base URL of the host
    #[arg(
        long,
        global = true,
        env = "QUANTUM_URL",
        default_value = "http://127.0.0.1:7780",
        value_name = "URL"
    )]
    pub url: String,
    /// Bearer token; without one, a short one is made with the key of a local data folder
    #[arg(long, global = true, env = "QUANTUM_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Which of the caller's tenants
    #[arg(long, global = true, env = "QUANTUM_TENANT", value_name = "TENANT")]
    pub tenant: Option<String>,
    /// How answers are printed
    #[arg(long, global = true, default_value = "table", value_name = "FORM")]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a host
    Serve(Box<ServeOptions>),
    /// Create and list tenants
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Make tokens with the key of a local data folder
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Store, check and look at intents
    #[command(subcommand)]
    Intent(intent::IntentCommand),
    /// Store and look at blueprints, which give steps to intents that have none
    #[command(subcommand)]
    Blueprint(blueprint::BlueprintCommand),
    /// Execute an intent, or many in one request
    Run(run::RunOptions),
    /// Look at executions, and tell them what to do
    #[command(subcommand)]
    Execution(execution::ExecutionCommand),
    /// Build, test, install and list plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Start intents by a calendar
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Store, list and fetch artifacts: bytes between steps and from outside
    #[command(subcommand)]
    Artifact(artifact::ArtifactCommand),
    /// Store and list secrets, which plugins use without seeing them
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Show and change what holds for the whole tenant: targets, limits, retention
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    /// Show what the tenant's attempts used, by day, plugin or action
    Usage(usage::UsageOptions),
    /// Check Cedar policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print a JSON Schema, or the OpenAPI document
    Schema { which: schema::Which },
    /// Look at the nodes of a host's store
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Prepare a PostgreSQL database for hosts
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Move the database of a stopped host from SQLite into an empty PostgreSQL database, and compare the two
    Migrate(migrate::MigrateOptions),
    /// Say what is wrong with a data folder and its host, and what mends it
    Doctor(doctor::DoctorOptions),
    /// Copy a data folder into a new one, while its host serves or not
    Backup(backup::BackupOptions),
    /// Make a data folder of a backup
    Restore(backup::RestoreOptions),
    /// What a host starts for each component that it compiles
    #[command(name = quantum_sandbox::COMPILE_COMMAND, hide = true)]
    CompileComponent { arguments: Vec<String> },
}

/// Where a local host keeps its files.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDir {
    /// Data folder of a local host [default: the user's data folder]
    #[arg(long, env = "QUANTUM_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    pub fn path(self) -> PathBuf {
        self.data_dir.unwrap_or_else(crate::settings::default_data_dir)
    }
}

impl Cli {
    /// The arguments of the process that compiles a component, when this is one. It has no runtime: it is limited before
    /// it has threads.
    pub fn compiles(&self) -> Option<&[String]> {
        match &self.command {
            Command::CompileComponent { arguments } => Some(arguments),
            _ => None,
        }
    }

    /// Runs the command. The exit code is the caller's business.
    pub async fn run(self) -> Result<(), CliError> {
        let Self { context, command } = self;
        match command {
            Command::Serve(options) => {
                let options = ServeOptions { compiler: Some(this_program()), ..*options };
                crate::serve::serve(options).await.map_err(CliError::Host)
            }
            Command::Tenant(command) => command.run(&context).await,
            Command::Token(command) => command.run(),
            Command::Intent(command) => command.run(&context).await,
            Command::Blueprint(command) => command.run(&context).await,
            Command::Run(options) => options.run(&context).await,
            Command::Execution(command) => command.run(&context).await,
            Command::Plugin(command) => command.run(&context).await,
            Command::Schedule(command) => command.run(&context).await,
            Command::Artifact(command) => command.run(&context).await,
            Command::Secret(command) => command.run(&context).await,
            Command::Settings(command) => command.run(&context).await,
            Command::Usage(options) => options.run(&context).await,
            Command::Policy(command) => command.run(context.output),
            Command::Schema { which } => schema::print(which),
            Command::Node(command) => command.run(&context).await,
            Command::Store(command) => command.run(&context).await,
            Command::Migrate(options) => options.run(&context).await,
            Command::Doctor(options) => options.run(&context).await,
            Command::Backup(options) => options.run(&context).await,
            Command::Restore(options) => options.run(&context).await,
            Command::CompileComponent { .. } => {
                Err(CliError::Usage("compile-component runs where there is no runtime".to_owned()))
            }
        }
    }
}

/// What this process runs, also when its file was replaced meanwhile: another version's code would not fit.
fn this_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return running;
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("quantum"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_command_has_an_option_twice_or_one_that_cannot_be_told_apart() {
        Cli::command().debug_assert();
    }
}
