//! `quantum run INTENT`, and many at once.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::error::CliError;
use super::intent::read_json;
use super::labels::Labels;
use super::output::cell;
use super::{Context, batch, follow};

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// name, name-vN or uid
    #[arg(required_unless_present = "batch")]
    intent: Option<String>,
    /// Input as JSON text, or @FILE
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Skip actions with effects, or rehearse them where they can
    #[arg(long)]
    dry_run: bool,
    /// Of those that a limit holds back, greater ones start first: 0 to 9
    #[arg(long, default_value_t = 0)]
    priority: u8,
    #[command(flatten)]
    labels: Labels,
    /// Follow the execution until it ends; exit with 1 when it does not succeed
    #[arg(long)]
    follow: bool,
    /// Start what a file says instead, a JSON object a line: intent, input, labels, idempotency_key; - reads standard
    /// input. Exit with 1 when one is refused
    #[arg(long, value_name = "FILE", conflicts_with_all = ["intent", "input", "dry_run", "priority", "labels", "follow"])]
    batch: Option<PathBuf>,
}

impl RunOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        let intent = match (self.batch, self.intent) {
            (Some(file), _) => return batch::run(&client, context, &file).await,
            (None, intent) => intent.unwrap_or_default(),
        };
        let mut body = match self.input.as_deref().map(|text| json_argument(text, "--input")).transpose()? {
            Some(input) => json!({ "input": input }),
            None => json!({}),
        };
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.dry_run.then(|| ("dry_run".to_owned(), true.into())));
            let labels = self.labels.read()?;
            fields.extend((!labels.is_empty()).then(|| ("labels".to_owned(), labels.into())));
            fields.extend((self.priority != 0).then(|| ("priority".to_owned(), self.priority.into())));
        }
        let answer = client.post(&format!("/api/v1/intents/{}/execute", segment(&intent)), &body).await?;
        let id = cell(&answer.body, "execution_id");
        if !self.follow {
            return Ok(context.output.line(&format!("execution {id} started"), &answer.body)?);
        }
        follow::follow(&client, context.output, &id).await
    }
}

/// JSON text, or @FILE. `what`: the option, for its errors.
pub(super) fn json_argument(text: &str, what: &str) -> Result<Value, CliError> {
    match text.strip_prefix('@') {
        Some(path) => read_json(path.as_ref()),
        None => serde_json::from_str(text).map_err(|source| CliError::Json { what: what.into(), source }),
    }
}
