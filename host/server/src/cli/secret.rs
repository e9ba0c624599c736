//! `quantum secret …` Values are read from standard input, so that they are in no history and no list of processes.

use std::io::{self, IsTerminal, Read, Write};

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, segment};
use super::error::CliError;
use super::output::Column;

/// Bytes of a value; the host takes no more.
const VALUE_BYTES_MAX: u64 = 64 * 1024;

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("ENVIRONMENT", "environment"),
    ("HOSTS", "hosts"),
    ("VERSION", "version"),
    ("EXPIRES", "expires_at"),
    ("CHANGED", "updated_at"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a secret, or its next value, read from standard input without the line's end that it ends with
    Set {
        /// Upper-case letters, digits and _, for example REGISTRY_PASSWORD
        name: String,
        /// Where it may be used: development, test, staging or production; may be repeated
        #[arg(long = "environment", short, value_name = "ENV", required = true)]
        environments: Vec<String>,
        /// Where requests may carry it to, for example https://azurecr.io; may be repeated
        #[arg(long = "host", value_name = "URL")]
        hosts: Vec<String>,
        /// No request may carry it: it is for plugins that may see the value
        #[arg(long, conflicts_with = "hosts")]
        reveal_only: bool,
        /// When it is of no use any more, for example 2027-01-01T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List secrets: their names and where they may be used, never their values
    List,
    /// Remove a secret, of one environment or of all
    Delete {
        name: String,
        #[arg(long, short, value_name = "ENV")]
        environment: Option<String>,
    },
}

impl SecretCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Set { name, environments, hosts, reveal_only, expires } => {
                let body = json!({
                    "value": read_value()?, "environments": environments, "hosts": hosts,
                    "reveal_only": reveal_only, "expires_at": expires,
                });
                let path = format!("/api/v1/secrets/{}", segment(&name));
                let answer = client.send(Method::PUT, &path, Some(&body), None).await?;
                let text = format!("stored {name} for {}", environments.join(", "));
                Ok(context.output.line(&text, &answer.body)?)
            }
            Self::List => {
                let answer = client.get("/api/v1/secrets").await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Delete { name, environment } => {
                let query = environment.map(|one| format!("?environment={}", segment(&one)));
                let path = format!("/api/v1/secrets/{}{}", segment(&name), query.unwrap_or_default());
                let answer = client.delete(&path).await?;
                Ok(context.output.line(&format!("removed {name}"), &answer.body)?)
            }
        }
    }
}

/// All of standard input, without the line's end that a terminal or `echo` adds.
fn read_value() -> Result<Value, CliError> {
    if io::stdin().is_terminal() {
        writeln!(io::stderr(), "type the value, then Enter and Ctrl-D (it is shown as you type):")?;
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(VALUE_BYTES_MAX + 2).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| CliError::Usage("the value is not UTF-8".to_owned()))?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if value.is_empty() {
        return Err(CliError::Usage(
            "the value is empty; write it to standard input, for example: quantum secret set … < FILE"
                .to_owned(),
        ));
    }
    Ok(Value::from(value))
}
