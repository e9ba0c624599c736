//! Live progress of an execution: a line an event, and a bar where a terminal is.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::client::Client;
use super::error::CliError;
use super::output::{Output, cell};
use super::sse::events;

/// Characters of a result in a line.
const RESULT_CHARS_MAX: usize = 160;

pub(crate) async fn follow(client: &Client, output: Output, id: &str) -> Result<(), CliError> {
    let response = client.stream(&format!("/api/v1/executions/{id}/events")).await?;
    let mut stream = Box::pin(events(response));
    let screen = Screen::new(output, id)?;
    let mut last = Value::Null;
    while let Some(event) = stream.next().await {
        let event = event?;
        screen.show(&event)?;
        if event.get("seq").is_some() {
            last = event;
        }
    }
    screen.close();
    match last.get("type").and_then(Value::as_str) {
        Some("execution_completed") => Ok(()),
        Some("execution_failed") => {
            Err(CliError::Failed(format!("execution {id} failed: {}", error_text(&last))))
        }
        Some("execution_cancelled") => Err(CliError::Failed(format!("execution {id} was cancelled"))),
        _ => Err(CliError::Answer {
            what: format!("the stream of {id} ended early; see: quantum execution watch {id}"),
        }),
    }
}

/// Where progress goes.
enum Screen {
    Json,
    Lines,
    Bar(ProgressBar),
}

impl Screen {
    fn new(output: Output, id: &str) -> io::Result<Self> {
        if output == Output::Json {
            return Ok(Self::Json);
        }
        writeln!(io::stdout(), "execution {id}")?;
        if !io::stdout().is_terminal() {
            return Ok(Self::Lines);
        }
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(120));
        Ok(Self::Bar(bar))
    }

    fn show(&self, event: &Value) -> io::Result<()> {
        match self {
            Self::Json => writeln!(io::stdout(), "{event}"),
            Self::Lines => writeln!(io::stdout(), "  {}", text(event)),
            Self::Bar(bar) => {
                if event.get("seq").is_some() {
                    bar.println(format!("  {}", text(event)));
                } else {
                    bar.set_message(text(event));
                }
                Ok(())
            }
        }
    }

    fn close(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// One event as a line.
fn text(event: &Value) -> String {
    let word = |key: &str| cell(event, key);
    let step = || format!("{} (attempt {})", word("step"), word("attempt"));
    match word("type").as_str() {
        "execution_started" => format!("started      {}", word("intent")),
        "step_started" => format!("running      {}", step()),
        "step_retrying" => format!("retrying     {} at {}: {}", step(), word("due_at"), error_text(event)),
        "step_completed" => format!("completed    {} → {}", step(), short(&word("result"))),
        "step_failed" => format!("failed       {}: {}", step(), error_text(event)),
        "step_skipped" => format!("skipped      {}: {}", word("step"), word("reason")),
        "step_cancelled" => format!("cancelled    {}", step()),
        "cancel_requested" => format!("cancelling   asked for by {}", word("requested_by.id")),
        "execution_completed" => format!("succeeded    {}", short(&word("output"))),
        "execution_failed" => format!("failed       {}", error_text(event)),
        "execution_cancelled" => "cancelled".to_owned(),
        "step_log" => format!("{:<12} {}: {}", word("level"), word("step"), word("message")),
        "step_progress" => format!("{:>3} %        {}: {}", word("percent"), word("step"), word("message")),
        other => other.to_owned(),
    }
}

fn error_text(event: &Value) -> String {
    format!("{} [{}]", cell(event, "error.message"), cell(event, "error.code"))
}

fn short(text: &str) -> String {
    if text.chars().count() <= RESULT_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(RESULT_CHARS_MAX).chain(['…']).collect()
}
