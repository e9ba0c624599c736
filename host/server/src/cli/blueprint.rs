//! `quantum blueprint …`

use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;

use super::Context;
use super::client::{Client, segment};
use super::error::{CliError, finding_text};
use super::intent::read_json;
use super::output::{Column, cell};

const COLUMNS: &[Column] = &[
    ("BLUEPRINT", "name"),
    ("REVISION", "revision"),
    ("DESCRIPTION", "description"),
    ("CHANGED", "updated_at"),
    ("BY", "updated_by"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum BlueprintCommand {
    /// Store the blueprint of a file, or make its document the next revision
    Apply {
        /// JSON document; - reads standard input
        file: PathBuf,
    },
    /// List blueprints
    List,
    /// Show a blueprint
    Show {
        name: String,
        /// An earlier one
        #[arg(long, value_name = "NUMBER")]
        revision: Option<u64>,
    },
    /// Remove a blueprint: intents of its name that have no steps do not run any more
    Delete { name: String },
}

impl BlueprintCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Apply { file } => apply(&client, context, &read_json(&file)?).await,
            Self::List => {
                let answer = client.get("/api/v1/blueprints").await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Show { name, revision } => {
                let query = revision.map(|number| format!("?revision={number}")).unwrap_or_default();
                let answer = client.get(&format!("{}{query}", path(&name))).await?;
                Ok(context.output.value(&answer.body)?)
            }
            Self::Delete { name } => {
                let known = client.get(&path(&name)).await?;
                let etag = known.etag.as_deref();
                let answer = client.send(Method::DELETE, &path(&name), None, etag).await?;
                Ok(context.output.line(&format!("removed {name}"), &answer.body)?)
            }
        }
    }
}

async fn apply(client: &Client, context: &Context, document: &Value) -> Result<(), CliError> {
    let name = document.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| {
        CliError::Usage("the document has no \"name\": that of the intents that it gives steps to".into())
    })?;
    let known = client.find(&path(name)).await?;
    let etag = known.as_ref().and_then(|known| known.etag.as_deref());
    let answer = client.send(Method::PUT, &path(name), Some(document), etag).await?;
    let revision = cell(&answer.body, "revision");
    let mut text = match known {
        None => format!("created {name}, revision {revision}"),
        Some(known) if cell(&known.body, "revision") == revision => {
            format!("unchanged {name}, revision {revision}")
        }
        Some(known) => format!("changed {name}, revision {revision} after {}", cell(&known.body, "revision")),
    };
    for warning in answer.body.get("findings").and_then(Value::as_array).into_iter().flatten() {
        text.push_str(&format!("\n  warning:{}", finding_text(warning).replace('\n', "")));
    }
    Ok(context.output.line(&text, &answer.body)?)
}

fn path(name: &str) -> String {
    format!("/api/v1/blueprints/{}", segment(name))
}
