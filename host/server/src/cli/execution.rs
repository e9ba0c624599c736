//! `quantum execution …`

use clap::Subcommand;
use serde_json::{Value, json};
use std::io::{self, Write};

use super::cancel::CancelOptions;
use super::client::{Client, segment};
use super::error::CliError;
use super::output::{Column, Output, cell, write_table};
use super::run::json_argument;
use super::{Context, follow};

const COLUMNS: &[Column] = &[
    ("EXECUTION", "execution_id"),
    ("INTENT", "intent"),
    ("STATUS", "status"),
    ("DONE", "progress.done"),
    ("STEPS", "progress.total"),
    ("CREATED", "created_at"),
];

const STEP_COLUMNS: &[Column] = &[
    ("STEP", "id"),
    ("STATUS", "status"),
    ("ATTEMPTS", "attempts"),
    ("CPU µs", "bill.cpu_us"),
    ("WALL µs", "bill.wall_us"),
    ("MEMORY bytes", "bill.memory_bytes_peak"),
    ("HOST CALLS", "bill.host_calls"),
    ("SENT", "bill.sent_bytes"),
    ("RECEIVED", "bill.received_bytes"),
    ("ERROR", "error.code"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum ExecutionCommand {
    /// List executions, newest first
    List {
        /// Only of this intent (its name)
        #[arg(long)]
        intent: Option<String>,
        /// Only with this status
        #[arg(long)]
        status: Option<String>,
    },
    /// Show an execution with its steps and what they used
    Show { id: String },
    /// Follow an execution until it ends
    Watch { id: String },
    /// Ask an execution to stop, or all that are meant
    Cancel(CancelOptions),
    /// Start nothing new until it is resumed
    Pause {
        id: String,
        /// Why, for the log
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a paused execution go on
    Resume { id: String },
    /// Run failed, cancelled and parked steps again
    Restart { id: String },
    /// Start a new execution with the results before a step of an ended one
    Replay {
        id: String,
        /// The first step that runs again; all of them when not given
        #[arg(long, value_name = "STEP")]
        from: Option<String>,
        /// Version of the intent; the one that ran when not given
        #[arg(long)]
        version: Option<u32>,
        /// Input as JSON text, or @FILE; the old one when not given
        #[arg(long, value_name = "JSON")]
        input: Option<String>,
    },
    /// Send a signal to the step that waits for it
    Signal {
        id: String,
        name: String,
        /// JSON text, or @FILE; null when not given
        #[arg(long, value_name = "JSON")]
        payload: Option<String>,
    },
    /// Approve a step, or refuse it
    Approve {
        id: String,
        /// Needed only where several steps wait
        #[arg(long)]
        step: Option<String>,
        /// Of a step with for_each: the position in its list
        #[arg(long)]
        element: Option<u32>,
        /// Refuse: the step fails
        #[arg(long)]
        refuse: bool,
        #[arg(long)]
        comment: Option<String>,
    },
}

impl ExecutionCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::List { intent, status } => {
                let pairs = [("intent", intent), ("status", status)];
                let pairs =
                    pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", segment(&value?))));
                let query = pairs.collect::<Vec<_>>().join("&");
                let answer = client.get(&format!("/api/v1/executions?{query}")).await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Show { id } => {
                let answer = client.get(&format!("/api/v1/executions/{}", segment(&id))).await?;
                Ok(show(context.output, &answer.body)?)
            }
            Self::Watch { id } => follow::follow(&client, context.output, &segment(&id)).await,
            Self::Cancel(options) => options.run(&client, context).await,
            Self::Pause { id, reason } => {
                tell(&client, context, &id, ("pause", "is paused"), &because(reason)).await
            }
            Self::Resume { id } => tell(&client, context, &id, ("resume", "goes on"), &json!({})).await,
            Self::Restart { id } => tell(&client, context, &id, ("restart", "runs again"), &json!({})).await,
            Self::Replay { id, from, version, input } => {
                let input = input.as_deref().map(|text| json_argument(text, "--input")).transpose()?;
                let body = given([
                    ("from_step", from.map(Value::from)),
                    ("version", version.map(Value::from)),
                    ("input", input),
                ]);
                let answer =
                    client.post(&format!("/api/v1/executions/{}/replay", segment(&id)), &body).await?;
                let new = cell(&answer.body, "execution_id");
                Ok(context
                    .output
                    .line(&format!("execution {new} started, a replay of {id}"), &answer.body)?)
            }
            Self::Signal { id, name, payload } => {
                let payload = payload.as_deref().map(|text| json_argument(text, "--payload")).transpose()?;
                let action = format!("signals/{}", segment(&name));
                let told = (action.as_str(), "has the signal");
                tell(&client, context, &id, told, &payload.unwrap_or(Value::Null)).await
            }
            Self::Approve { id, step, element, refuse, comment } => {
                let body = given([
                    ("step", step.map(Value::from)),
                    ("element", element.map(Value::from)),
                    ("approved", Some((!refuse).into())),
                    ("comment", comment.map(Value::from)),
                ]);
                let said = if refuse { "has your refusal" } else { "has your approval" };
                tell(&client, context, &id, ("approve", said), &body).await
            }
        }
    }
}

/// Posts to a route of one execution, and says what it means.
async fn tell(
    client: &Client,
    context: &Context,
    id: &str,
    (action, said): (&str, &str),
    body: &Value,
) -> Result<(), CliError> {
    let answer = client.post(&format!("/api/v1/executions/{}/{action}", segment(id)), body).await?;
    Ok(context.output.line(&format!("execution {id} {said}"), &answer.body)?)
}

fn because(reason: Option<String>) -> Value {
    given([("reason", reason.map(Value::from))])
}

fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    Value::Object(fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn show(output: Output, body: &Value) -> io::Result<()> {
    if output == Output::Json {
        return output.value(body);
    }
    let mut out = io::stdout();
    for (title, path) in [
        ("execution", "execution_id"),
        ("intent", "intent"),
        ("environment", "environment"),
        ("status", "status"),
        ("waits for", "waits_for"),
        ("requested by", "requested_by.id"),
        ("created", "created_at"),
        ("ended", "ended_at"),
        ("output", "output"),
    ] {
        writeln!(out, "{title:<13} {}", cell(body, path))?;
    }
    if body.get("error").is_some_and(Value::is_object) {
        writeln!(out, "{:<13} {} [{}]", "error", cell(body, "error.message"), cell(body, "error.code"))?;
    }
    writeln!(out)?;
    write_table(
        body.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(),
        STEP_COLUMNS,
    )
}
