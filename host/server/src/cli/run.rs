//! `quantum run INTENT`

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, segment};
use super::error::CliError;
use super::intent::read_json;
use super::output::cell;
use super::{Context, follow};

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// name, name-vN or uid
    intent: String,
    /// Input as JSON text, or @FILE
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Skip actions with effects, or rehearse them where they can
    #[arg(long)]
    dry_run: bool,
    /// Of those that a limit holds back, greater ones start first: -100 to 100
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Follow the execution until it ends; exit with 1 when it does not succeed
    #[arg(long)]
    follow: bool,
}

impl RunOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        let mut body = match self.input.as_deref().map(|text| json_argument(text, "--input")).transpose()? {
            Some(input) => json!({ "input": input }),
            None => json!({}),
        };
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.dry_run.then(|| ("dry_run".to_owned(), true.into())));
            fields.extend((self.priority != 0).then(|| ("priority".to_owned(), self.priority.into())));
        }
        let answer =
            client.post(&format!("/api/v1/intents/{}/execute", segment(&self.intent)), &body).await?;
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
