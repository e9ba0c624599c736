//! `quantum store`: the database of hosts that share one.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use quantum_store::{Login, prepare};
use serde_json::json;

use super::Context;
use super::error::CliError;
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make the roles and the login of hosts, and bring the schema to this program's; again after each upgrade
    Prepare(PrepareOptions),
}

#[derive(Debug, Args)]
pub(crate) struct PrepareOptions {
    /// URL of the database as a login that may make roles, for example the server's administrator
    #[arg(long, env = "QUANTUM_STORE_OWNER", hide_env_values = true, value_name = "URL")]
    owner: String,
    /// Name of the login of hosts, made when it is not there
    #[arg(long, default_value = "quantum", value_name = "NAME")]
    login: String,
    /// File with the password that the login gets [default: its password is left as it is]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl StoreCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let Self::Prepare(options) = self;
        let password = options.password_file.map(|path| {
            let read = std::fs::read_to_string(&path);
            read.map_err(|error| CliError::Usage(format!("read {}: {error}", path.display())))
        });
        let password = password.transpose()?.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        let login = Login { name: options.login, password };
        let schema = prepare(&options.owner, Some(&login)).await;
        let schema = schema.map_err(|error| CliError::Failed(crate::chain(&error)))?;
        if context.output == Output::Json {
            return Ok(context.output.value(&json!({ "schema": schema, "login": login.name }))?);
        }
        let Login { name, .. } = login;
        writeln!(io::stdout(), "prepared: schema {schema}, login \"{name}\"")?;
        writeln!(io::stdout(), "next: quantum serve --store postgres://{name}:PASSWORD@HOST:5432/DATABASE")?;
        Ok(())
    }
}
