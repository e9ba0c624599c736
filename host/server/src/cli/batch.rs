//! `quantum run --batch FILE`: a start a line, as many in one request as the host takes.

use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::error::{CliError, problem_text};
use super::output::Output;

/// Starts of one request; the host takes no more.
const STARTS_MAX: usize = 1_000;
/// Bytes of the starts of one request. The host takes 1 MiB with what is around them. A start that is larger is sent
/// alone, and the host says what is wrong with it.
const STARTS_BYTES_MAX: usize = 1_000_000;

/// A start, and the line that it stands in.
struct Start {
    line: usize,
    start: Value,
    bytes: usize,
}

/// Starts what the file says, in its order. Err: some were refused; those before and behind them are on their way.
pub(super) async fn run(client: &Client, context: &Context, file: &Path) -> Result<(), CliError> {
    let starts = read(file)?;
    let total = starts.len();
    let (mut items, mut refused) = (Vec::new(), 0);
    for part in parts(starts) {
        let body = json!({ "items": part.iter().map(|one| &one.start).collect::<Vec<_>>() });
        let answer = client.post("/api/v1/executions/batch", &body).await?;
        let answered = answer.body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        for (start, item) in part.iter().zip(&answered) {
            if let Some(problem) = item.get("problem") {
                refused += 1;
                tell(context.output, start.line, problem)?;
            }
        }
        items.extend(answered);
    }
    let text = format!("{} of {total} executions started", total - refused);
    let all = json!({ "started": total - refused, "refused": refused, "items": items });
    context.output.line(&text, &all)?;
    if refused == 0 {
        Ok(())
    } else {
        Err(CliError::Failed(format!("{refused} of {total} starts were refused")))
    }
}

fn tell(output: Output, line: usize, problem: &Value) -> io::Result<()> {
    match output {
        Output::Json => Ok(()),
        Output::Table => writeln!(io::stdout(), "line {line}: {}", problem_text(problem)),
    }
}

/// JSON Lines; empty lines are passed over.
fn read(file: &Path) -> Result<Vec<Start>, CliError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|source| CliError::File { path: file.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let starts = lines.map(|(at, line)| {
        let what = || format!("line {} of {}", at + 1, file.display());
        let start = serde_json::from_str(line).map_err(|source| CliError::Json { what: what(), source })?;
        Ok(Start { line: at + 1, start, bytes: line.len() })
    });
    let starts = starts.collect::<Result<Vec<_>, CliError>>()?;
    if starts.is_empty() {
        let hint = "write one start a line, such as {\"intent\": \"NAME\", \"input\": {}}";
        return Err(CliError::Usage(format!("{} has no starts; {hint}", file.display())));
    }
    Ok(starts)
}

/// As few requests as the bounds allow.
fn parts(starts: Vec<Start>) -> Vec<Vec<Start>> {
    let mut parts: Vec<Vec<Start>> = Vec::new();
    let mut bytes = 0;
    for start in starts {
        bytes += start.bytes + 1;
        match parts.last_mut() {
            Some(part) if part.len() < STARTS_MAX && bytes <= STARTS_BYTES_MAX => part.push(start),
            _ => {
                bytes = start.bytes + 1;
                parts.push(vec![start]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[usize]) -> Vec<usize> {
        let starts = bytes.iter().map(|bytes| Start { line: 1, start: Value::Null, bytes: *bytes });
        parts(starts.collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_part_holds_what_the_host_takes_in_one_request() {
        assert_eq!(sizes(&[10; 2_001]), [1_000, 1_000, 1]);
        assert_eq!(sizes(&[400_000, 400_000, 400_000, 2_000_000, 1]), [2, 1, 1, 1]);
    }
}
