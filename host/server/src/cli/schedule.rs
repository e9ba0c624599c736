//! `quantum schedule …`

use std::io::{self, Write};

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{Client, segment};
use super::error::CliError;
use super::labels::Labels;
use super::output::{Column, Output, cell};
use super::run::json_argument;

const COLUMNS: &[Column] = &[
    ("SCHEDULE", "name"),
    ("INTENT", "intent"),
    ("CRON", "cron"),
    ("TIME ZONE", "time_zone"),
    ("PAUSED", "paused"),
    ("NEXT", "next.local"),
    ("STARTED", "counts.started"),
    ("REFUSED", "counts.refused"),
];

const FIELDS: &[Column] = &[
    ("schedule", "name"),
    ("intent", "intent"),
    ("cron", "cron"),
    ("time zone", "time_zone"),
    ("overlap", "overlap"),
    ("catch up", "catch_up"),
    ("jitter", "jitter"),
    ("starts", "starts_at"),
    ("ends", "ends_at"),
    ("paused", "paused"),
    ("owner", "owner.id"),
    ("next", "next.local"),
    ("waiting", "waiting"),
    ("running", "running"),
    ("last started", "last_start.due_at"),
    ("execution", "last_start.execution_id"),
    ("started", "counts.started"),
    ("missed", "counts.missed"),
    ("overlapped", "counts.overlapped"),
    ("refused", "counts.refused"),
];

const TIME_COLUMNS: &[Column] = &[("DUE", "due_at"), ("STARTS", "starts_at"), ("ON THE WALL", "local")];

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Start an intent by a calendar, in your name
    Create(Box<CreateOptions>),
    /// List schedules, and when each is due next
    List {
        /// Only of this intent
        #[arg(long)]
        intent: Option<String>,
    },
    /// Show a schedule, and what became of its due times
    Show { name: String },
    /// Let nothing be due until it is resumed
    Pause { name: String },
    /// Go on; what was due meanwhile is not made up
    Resume { name: String },
    /// Remove a schedule; its executions stay
    Delete { name: String },
    /// Show when a schedule is due, also where clocks are set forward or back
    Times {
        name: String,
        /// How many, up to 100
        #[arg(long, default_value_t = 10)]
        count: u32,
        /// From then on, for example 2026-03-28T00:00:00Z [default: now]
        #[arg(long, value_name = "TIME")]
        after: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateOptions {
    /// Words of a-z and 0-9 joined by -
    name: String,
    /// What is started: name, name-vN or uid
    #[arg(long)]
    intent: String,
    /// Minute, hour, day of the month, month, day of the week, for example "30 2 * * MON-FRI"; or @hourly, @daily …
    #[arg(long, value_name = "LINE")]
    cron: String,
    /// A name of the IANA database
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    /// Input as JSON text, or @FILE
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    #[command(flatten)]
    labels: Labels,
    /// While an earlier execution runs: skip, queue, allow or cancel_running
    #[arg(long, default_value = "skip")]
    overlap: String,
    /// How many missed due times are made up
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    catch_up: u32,
    /// How much later an execution starts at most, for example 5m
    #[arg(long, value_name = "TIME")]
    jitter: Option<String>,
    /// Nothing is due before
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    /// Nothing is due any more then
    #[arg(long, value_name = "TIME")]
    ends: Option<String>,
    /// Let nothing be due before it is resumed
    #[arg(long)]
    paused: bool,
}

impl ScheduleCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Create(options) => {
                let answer = client.post("/api/v1/schedules", &options.body()?).await?;
                let next = cell(&answer.body, "next.local");
                let text = format!("created {}; next: {next}", cell(&answer.body, "name"));
                Ok(context.output.line(&text, &answer.body)?)
            }
            Self::List { intent } => {
                let query = intent.map(|name| format!("?intent={}", segment(&name))).unwrap_or_default();
                let answer = client.get(&format!("/api/v1/schedules{query}")).await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Show { name } => Ok(show(context.output, &client.get(&path(&name, "")).await?.body)?),
            Self::Pause { name } => switch(&client, context, &name, "pause", "paused").await,
            Self::Resume { name } => switch(&client, context, &name, "resume", "resumed").await,
            Self::Delete { name } => {
                let answer = client.send(Method::DELETE, &path(&name, ""), None, Some("*")).await?;
                Ok(context.output.line(&format!("removed {name}"), &answer.body)?)
            }
            Self::Times { name, count, after } => {
                let after = after.map(|at| format!("&after={}", segment(&at))).unwrap_or_default();
                let answer = client.get(&path(&name, &format!("/times?count={count}{after}"))).await?;
                Ok(context.output.list(&answer.body, TIME_COLUMNS)?)
            }
        }
    }
}

impl CreateOptions {
    fn body(&self) -> Result<Value, CliError> {
        let input = self.input.as_deref().map(|text| json_argument(text, "--input")).transpose()?;
        Ok(json!({
            "name": self.name, "intent": self.intent, "cron": self.cron, "time_zone": self.time_zone,
            "input": input.unwrap_or_else(|| json!({})), "labels": self.labels.read()?, "overlap": self.overlap,
            "catch_up": self.catch_up, "jitter": self.jitter, "starts_at": self.starts, "ends_at": self.ends,
            "paused": self.paused,
        }))
    }
}

async fn switch(
    client: &Client,
    context: &Context,
    name: &str,
    route: &str,
    done: &str,
) -> Result<(), CliError> {
    let answer = client.send(Method::POST, &path(name, &format!("/{route}")), None, None).await?;
    let next = match cell(&answer.body, "next.local").as_str() {
        "-" => String::new(),
        next => format!("; next: {next}"),
    };
    Ok(context.output.line(&format!("{done} {name}{next}"), &answer.body)?)
}

fn show(output: Output, body: &Value) -> io::Result<()> {
    output.fields(body, FIELDS)?;
    if output == Output::Table && body.get("last_error").is_some_and(Value::is_object) {
        let [due, message, code] =
            ["last_error.due_at", "last_error.message", "last_error.code"].map(|path| cell(body, path));
        writeln!(io::stdout(), "last error    due {due}: {message} [{code}]")?;
    }
    Ok(())
}

fn path(name: &str, rest: &str) -> String {
    format!("/api/v1/schedules/{}{rest}", segment(name))
}
