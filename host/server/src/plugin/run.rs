//! `quantum plugin run`: one call of one action in the real sandbox, without a host and without a database. The result
//! is JSON on standard output; everything else is told beside it.

use std::io::{Read, Write};
use std::path::PathBuf;

use quantum_core::port::{AttemptOutcome, FailureKind, LogLine};
use quantum_core::problem::{Finding, Problem};
use quantum_core::vocabulary::Environment;
use serde_json::{Map, Value};

use super::call::{Call, Called, Stage};
use super::case::{Case, Input};
use super::error::{Error, place};
use super::network::Network;
use super::packed::Packed;
use super::report::{billed, failure_document, logged};

/// Milliseconds of a call when nothing says otherwise: the default of a step.
const TIMEOUT_MS: u64 = 300_000;
/// Stands for standard input.
const STANDARD_INPUT: &str = "-";

#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Exit codes: 0 it completed, and the result is on standard output; else the failure is there, as in \
error.json of a case: 10 permanent, 11 retryable, 12 denied, 13 trap, 14 timeout, 15 over a limit (processor time, memory, \
result), 16 a result that does not fit, 17 cancelled, 18 the host's fault. 1 there was no call, 2 wrong usage."
)]
pub struct RunArgs {
    /// The action's name, or an alias
    pub action: String,
    /// Folder of a plugin, which is built first, or a packed plugin
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub plugin: PathBuf,
    #[command(flatten)]
    pub with: CallArgs,
    #[command(flatten)]
    pub network: Network,
}

/// What a call is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CallArgs {
    /// Parameters as JSON text, @FILE, or - for standard input [default: those of --given, or {}]
    #[arg(long, value_name = "JSON")]
    pub params: Option<String>,
    /// Folder with what the call finds, in the files of a case: input.json, settings.json, secrets.json, kv.json,
    /// artifacts.json, http.json
    #[arg(long, value_name = "DIR")]
    pub given: Option<PathBuf>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    Completed,
    Cancelled,
    Failed { kind: FailureKind, problem: Problem },
}

/// Makes the call. `err` takes logs, the bill, and what the build says.
pub async fn run(
    args: &RunArgs,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Result<Ended, Error> {
    let packed = Packed::open(&args.plugin, &args.network, err).await?;
    packed.bench.follow(tell_line);
    let parameters = args.with.parameters()?;
    let (call, called) = make(&packed, &args.action, &args.with, parameters).await?;
    let ended = tell(&called, out, err)?;
    print_remedies(&packed, &called, "", err)?;
    complain(&call, err)?;
    Ok(ended)
}

/// The result or the failure, and the bill.
pub(super) fn tell(
    called: &Called,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Result<Ended, Error> {
    let ended = ended(called);
    match &ended {
        Ended::Failed { problem, .. } if !matches!(called.report.outcome, AttemptOutcome::Failed(_)) => {
            writeln!(out, "{:#}", serde_json::to_value(problem).unwrap_or_default())?;
        }
        Ended::Completed => writeln!(out, "{:#}", completed(&called.report.outcome))?,
        _ => writeln!(out, "{:#}", failure_document(&called.report.outcome))?,
    }
    writeln!(err, "bill: {}", billed(&called.report.bill))?;
    Ok(ended)
}

/// Makes the call with what it is given. The parameters are read before: standard input can be read once.
pub(super) async fn make(
    packed: &Packed,
    action: &str,
    with: &CallArgs,
    parameters: Option<Value>,
) -> Result<(Call, Called), Error> {
    let refused = |reason: String| Error::Call { reason };
    let folder = with.given.as_deref().map(Case::open).transpose()?;
    let stage = match &folder {
        Some(folder) => {
            folder.check_names()?;
            Stage::set(folder).await?
        }
        None => Stage::default(),
    };
    let given = folder.map(|folder| folder.input_if_there(&stage.server)).transpose()?.flatten();
    let mut input = given.unwrap_or_else(plain);
    input.action = action.to_owned();
    if let Some(parameters) = parameters {
        input.parameters = parameters;
    }
    let call = Call { stage, input };
    let misfits = call.misfits(packed).map_err(refused)?;
    if !misfits.is_empty() {
        return Err(Error::Misfits(misfits));
    }
    let called = call.make(packed).await.map_err(refused)?;
    Ok((call, called))
}

/// A result that does not fit its own schema is a failure for a host, too.
pub(super) fn ended(called: &Called) -> Ended {
    match &called.report.outcome {
        AttemptOutcome::Cancelled => Ended::Cancelled,
        AttemptOutcome::Failed(failure) => {
            Ended::Failed { kind: failure.kind, problem: failure.problem.clone() }
        }
        AttemptOutcome::Completed(_) if called.result_misfits.is_empty() => Ended::Completed,
        AttemptOutcome::Completed(result) => {
            let line = |finding: &Finding| format!("{}: {}", place(finding), finding.message);
            let lines: Vec<_> = called.result_misfits.iter().map(line).collect();
            let message = format!("the result does not fit its own schema: {}", lines.join("; "));
            let details = Some(serde_json::json!({ "result": result }));
            let problem = Problem { details, ..Problem::new("invalid-output", message) };
            Ended::Failed { kind: FailureKind::InvalidOutput, problem }
        }
    }
}

/// What would allow what it was denied, behind this indentation.
pub(super) fn print_remedies(
    packed: &Packed,
    called: &Called,
    indentation: &str,
    out: &mut (dyn Write + Send),
) -> Result<(), Error> {
    for remedy in &called.remedies {
        let line = remedy.line(packed.form, &packed.inspection.manifest.capabilities);
        writeln!(out, "{indentation}{line}")?;
    }
    Ok(())
}

impl CallArgs {
    /// None: not typed.
    pub(super) fn parameters(&self) -> Result<Option<Value>, Error> {
        let Some(typed) = &self.params else { return Ok(None) };
        let text = match (typed.as_str(), typed.strip_prefix('@')) {
            (STANDARD_INPUT, _) => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text)?;
                text
            }
            (_, Some(file)) => std::fs::read_to_string(file).map_err(Error::file(file))?,
            (text, None) => text.to_owned(),
        };
        let unreadable = |error: serde_json::Error| Error::Call {
            reason: format!("--params is not JSON: {error}; write JSON text, @FILE, or - for standard input"),
        };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }
}

fn plain() -> Input {
    Input {
        action: String::new(),
        parameters: Value::Object(Map::new()),
        config: Map::new(),
        environment: Environment::Test,
        timeout_ms: TIMEOUT_MS,
        attempt: 1,
        dry_run: false,
    }
}

fn completed(outcome: &AttemptOutcome) -> &Value {
    match outcome {
        AttemptOutcome::Completed(value) => value,
        _ => &Value::Null,
    }
}

/// What the service of `http.json` says.
pub(super) fn complain(call: &Call, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let complaints = call.stage.service.iter().flat_map(|service| service.complaints());
    for complaint in complaints {
        writeln!(out, "{complaint}")?;
    }
    Ok(())
}

pub(super) fn tell_line(line: &LogLine) {
    eprintln!("log: {}", logged(line));
}
