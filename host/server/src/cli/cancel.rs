//! `quantum execution cancel ID`, and all that a filter meets.

use clap::Args;
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, segment};
use super::error::CliError;

#[derive(Debug, Args)]
pub(crate) struct CancelOptions {
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// Why, for the log
    #[arg(long)]
    reason: Option<String>,
    /// All executions that have not ended, or those that the options below meet; counts them unless --yes is given
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// Cancel them, not only count them
    #[arg(long, requires = "all")]
    yes: bool,
}

#[derive(Debug, Args)]
struct Filter {
    /// Only of this intent (its name or uid)
    #[arg(long, requires = "all")]
    intent: Option<String>,
    /// Only with this status
    #[arg(long, requires = "all")]
    status: Option<String>,
    /// Only with this label
    #[arg(long, value_name = "KEY=VALUE", requires = "all")]
    label: Option<String>,
    /// Only those that are older, for example 2027-01-01T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "all")]
    created_before: Option<String>,
    /// Only those that are not older
    #[arg(long, value_name = "TIME", requires = "all")]
    created_after: Option<String>,
}

impl CancelOptions {
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), CliError> {
        match self.id.clone() {
            Some(id) => self.one(client, context, &id).await,
            None => self.many(client, context).await,
        }
    }

    async fn one(self, client: &Client, context: &Context, id: &str) -> Result<(), CliError> {
        let path = format!("/api/v1/executions/{}/cancel", segment(id));
        let body = self.reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
        let answer = client.post(&path, &body).await?;
        Ok(context.output.line(&format!("execution {id} is being cancelled"), &answer.body)?)
    }

    async fn many(self, client: &Client, context: &Context) -> Result<(), CliError> {
        let mut body = json!({
            "operation": "cancel", "filter": self.filter.body(), "dry_run": !self.yes, "reason": self.reason,
        });
        let mut sum = Sum::default();
        loop {
            let answer = client.post("/api/v1/executions/bulk", &body).await?.body;
            sum.add(&answer);
            match answer.get("next_page_token") {
                Some(token) if token.is_string() => body["page_token"] = token.clone(),
                _ => break,
            }
        }
        let refused = sum.refused();
        let text = if self.yes {
            format!("{} executions are being cancelled{refused}", sum.done)
        } else {
            format!("{} executions would be cancelled{refused}; to cancel them, add --yes", sum.done)
        };
        context
            .output
            .line(&text, &json!({ "dry_run": !self.yes, "done": sum.done, "refusals": sum.refusals }))?;
        Ok(())
    }
}

impl Filter {
    /// Without what is not given.
    fn body(&self) -> Value {
        let Self { intent, status, label, created_before, created_after } = self;
        let fields = [
            ("intent", intent),
            ("status", status),
            ("label", label),
            ("created_before", created_before),
            ("created_after", created_after),
        ];
        fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))).collect()
    }
}

/// Of all requests.
#[derive(Default)]
struct Sum {
    done: u64,
    refusals: std::collections::BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, answer: &Value) {
        self.done += answer.get("done").and_then(Value::as_u64).unwrap_or(0);
        for (code, count) in answer.get("refusals").and_then(Value::as_object).into_iter().flatten() {
            *self.refusals.entry(code.clone()).or_default() += count.as_u64().unwrap_or(0);
        }
    }

    fn refused(&self) -> String {
        let told: Vec<_> = self.refusals.iter().map(|(code, count)| format!("{count} {code}")).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    }
}
