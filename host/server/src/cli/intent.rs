//! `quantum intent …`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{Answer, Client, segment};
use super::error::{CliError, finding_text};
use super::output::{Column, cell};

const COLUMNS: &[Column] = &[
    ("INTENT", "id"),
    ("STATUS", "status"),
    ("VERSION", "version_status"),
    ("ENVIRONMENT", "environment"),
    ("CREATED", "created_at"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum IntentCommand {
    /// Create the intent of a file, or make its document the next version
    Apply {
        /// JSON document; - reads standard input
        file: PathBuf,
    },
    /// Say everything that is wrong with a document, without storing it
    Validate {
        /// JSON document; - reads standard input
        file: PathBuf,
    },
    /// Show what would happen: steps, plugins, capabilities, decisions
    Plan {
        /// name, name-vN or uid
        intent: String,
    },
    /// List intents
    List {
        /// Words of the name or description
        #[arg(long)]
        q: Option<String>,
    },
    /// Show an intent
    Show {
        /// name, name-vN or uid
        intent: String,
    },
    /// List the versions of an intent
    Versions { name: String },
    /// Make an older definition the next version
    Rollback {
        name: String,
        /// Number of the version to go back to
        #[arg(long)]
        to: u32,
    },
}

impl IntentCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Apply { file } => apply(&client, context, &read_json(&file)?).await,
            Self::Validate { file } => validate(&client, context, &read_json(&file)?).await,
            Self::Plan { intent } => {
                let path = format!("/api/v1/intents/{}/plan", segment(&intent));
                let answer = client.send(Method::POST, &path, None, None).await?;
                Ok(context.output.value(&answer.body)?)
            }
            Self::List { q } => {
                let query = q.map(|q| format!("?q={}", segment(&q))).unwrap_or_default();
                let answer = client.get(&format!("/api/v1/intents{query}")).await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Show { intent } => {
                let answer = client.get(&format!("/api/v1/intents/{}", segment(&intent))).await?;
                Ok(context.output.value(&answer.body)?)
            }
            Self::Versions { name } => {
                let answer = client.get(&format!("/api/v1/intents/{}/versions", segment(&name))).await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Rollback { name, to } => rollback(&client, context, &name, to).await,
        }
    }
}

async fn apply(client: &Client, context: &Context, document: &Value) -> Result<(), CliError> {
    let name = document.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| CliError::Usage("the document has no \"name\"".into()))?;
    let path = format!("/api/v1/intents/{}", segment(name));
    let known = client.find(&path).await?;
    let (answer, before) = match known {
        None => (client.post("/api/v1/intents", document).await?, None),
        Some(known) => {
            let before = cell(&known.body, "id");
            (client.send(Method::PUT, &path, Some(document), known.etag.as_deref()).await?, Some(before))
        }
    };
    let id = cell(&answer.body, "id");
    let mut text = match before {
        None => format!("created {id}"),
        Some(before) if before == id => format!("unchanged {id}"),
        Some(before) => format!("{id} replaces {before}"),
    };
    for warning in answer.body.get("findings").and_then(Value::as_array).into_iter().flatten() {
        text.push_str(&format!("\n  warning:{}", finding_text(warning).replace('\n', "")));
    }
    Ok(context.output.line(&text, &answer.body)?)
}

async fn validate(client: &Client, context: &Context, document: &Value) -> Result<(), CliError> {
    let answer = client.post("/api/v1/intents/validate", document).await?;
    let findings =
        answer.body.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let valid = answer.body.get("valid").and_then(Value::as_bool).unwrap_or(false);
    let verdict = if valid { "the document can be stored" } else { "the document cannot be stored" };
    let text = findings.iter().fold(verdict.to_owned(), |text, finding| {
        let severity = cell(finding, "severity");
        format!("{text}\n  {severity}:{}", finding_text(finding).replace('\n', ""))
    });
    context.output.line(&text, &answer.body)?;
    if valid { Ok(()) } else { Err(CliError::Failed("the document has errors".into())) }
}

async fn rollback(client: &Client, context: &Context, name: &str, to: u32) -> Result<(), CliError> {
    let path = format!("/api/v1/intents/{}", segment(name));
    let Answer { etag, .. } = client.get(&path).await?;
    let body = json!({ "to": to });
    let answer = client.send(Method::POST, &format!("{path}/rollback"), Some(&body), etag.as_deref()).await?;
    let text = format!("{} has the definition of version {to}", cell(&answer.body, "id"));
    Ok(context.output.line(&text, &answer.body)?)
}

/// A file, or standard input for `-`.
pub(crate) fn read_json(path: &Path) -> Result<Value, CliError> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|source| CliError::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| CliError::Json { what: path.display().to_string(), source })
}
