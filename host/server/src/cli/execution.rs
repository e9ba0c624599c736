//! `quantum execution …`

use clap::Subcommand;
use serde_json::{Value, json};
use std::io::{self, Write};

use super::client::{Client, segment};
use super::error::CliError;
use super::output::{Column, Output, cell, write_table};
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
    /// Ask an execution to stop
    Cancel {
        id: String,
        /// Why, for the log
        #[arg(long)]
        reason: Option<String>,
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
            Self::Cancel { id, reason } => {
                let path = format!("/api/v1/executions/{}/cancel", segment(&id));
                let answer =
                    client.post(&path, &reason.map_or_else(|| json!({}), |r| json!({ "reason": r }))).await?;
                Ok(context.output.line(&format!("execution {id} is being cancelled"), &answer.body)?)
            }
        }
    }
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
