//! `quantum plugin test`: all cases of a plugin, in the real sandbox, as a table.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use quantum_core::port::{LogEntry, LogLine};
use quantum_marketplace::Inspection;

use super::build::{BuildArgs, build};
use super::case::{self, Case};
use super::error::Error;
use super::run_case::{self, Outcome};
use super::workbench::Workbench;

#[derive(Debug, Clone, clap::Args)]
pub struct TestArgs {
    /// Folder of a plugin, which is built first, or a packed plugin
    #[arg(default_value = ".")]
    pub plugin: PathBuf,
    /// Folder of the cases [default: cases beside Cargo.toml]
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Run only the cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// How many cases went as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TestSummary {
    pub passed: usize,
    pub failed: usize,
}

impl TestSummary {
    /// Failure when a case failed, or none ran.
    pub fn exit_code(self) -> ExitCode {
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Runs the cases and prints a line for each.
pub async fn test(args: &TestArgs, out: &mut (dyn Write + Send)) -> Result<TestSummary, Error> {
    let (file, bench) = packed(&args.plugin, out).await?;
    let component = tokio::fs::read(&file).await.map_err(Error::file(&file))?;
    let package = |source| Error::Package { path: file.clone(), source };
    let inspection = quantum_marketplace::inspect(&component).map_err(package)?;
    let cases = cases(args)?;
    let digest = bench.install(component).await?;
    writeln!(out, "{} {}", inspection.manifest.id, inspection.manifest.version)?;
    let mut summary = TestSummary::default();
    for case in &cases {
        let outcome = run_case::run(&bench, &digest, &inspection.manifest, case).await?;
        summary.count(&outcome);
        print(case, &outcome, out)?;
    }
    untested(&inspection, &cases, out)?;
    writeln!(out, "{} passed, {} failed", summary.passed, summary.failed)?;
    Ok(summary)
}

/// The file, and where it is tried. Of a plugin that was built here, the compiled code is kept beside it.
async fn packed(plugin: &Path, out: &mut (dyn Write + Send)) -> Result<(PathBuf, Workbench), Error> {
    if !plugin.is_dir() {
        return Ok((plugin.to_owned(), Workbench::new()?));
    }
    let path = build(&BuildArgs::of(plugin), out).await?.path;
    let name = path.file_stem().unwrap_or_default();
    let bench = Workbench::caching(&path.with_file_name(".compiled").join(name))?;
    Ok((path, bench))
}

fn cases(args: &TestArgs) -> Result<Vec<Case>, Error> {
    let beside = || if args.plugin.is_dir() { args.plugin.join("cases") } else { PathBuf::from("cases") };
    let dir = args.cases.clone().unwrap_or_else(beside);
    let mut cases = case::find(&dir)?;
    if let Some(part) = &args.filter {
        cases.retain(|case| case.name.contains(part));
    }
    if cases.is_empty() { Err(Error::NoCases { path: dir }) } else { Ok(cases) }
}

impl TestSummary {
    fn count(&mut self, outcome: &Outcome) {
        if outcome.complaints.is_empty() { self.passed += 1 } else { self.failed += 1 }
    }
}

fn print(case: &Case, outcome: &Outcome, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let verdict = if outcome.complaints.is_empty() { "ok" } else { "FAILED" };
    let (wall_ms, cpu_ms) = (milliseconds(outcome.bill.wall_us), milliseconds(outcome.bill.cpu_us));
    let memory_kib = outcome.bill.memory_bytes_peak / 1024;
    let (name, action) = (&case.name, &outcome.action);
    writeln!(
        out,
        "  {verdict:<7} {name:<40} {action:<20} {wall_ms:>8} ms {cpu_ms:>8} ms cpu {memory_kib:>6} KiB"
    )?;
    if outcome.complaints.is_empty() {
        return Ok(());
    }
    for complaint in &outcome.complaints {
        writeln!(out, "         {complaint}")?;
    }
    outcome.logs.iter().try_for_each(|line| writeln!(out, "         log: {}", logged(line)))?;
    Ok(())
}

fn milliseconds(us: u64) -> String {
    format!("{}.{}", us / 1_000, us % 1_000 / 100)
}

fn logged(line: &LogLine) -> String {
    match &line.entry {
        LogEntry::StepLog { level, message, fields } if fields.is_empty() => format!("{level} {message}"),
        LogEntry::StepLog { level, message, fields } => {
            let fields = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            format!("{level} {message} {}", fields.join(" "))
        }
        LogEntry::StepProgress { percent, message } => format!("{percent} % {message}"),
    }
}

/// An action that no case runs is told: it may not work at all.
fn untested(inspection: &Inspection, cases: &[Case], out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let tested: Vec<String> =
        cases.iter().filter_map(|case| case.input("").ok()).map(|input| input.action).collect();
    let answers = |name: &str| tested.iter().any(|action| action == name);
    for action in &inspection.manifest.actions {
        if !answers(&action.name) && !action.aliases.iter().any(|alias| answers(alias)) {
            writeln!(out, "  no case runs {}", action.name)?;
        }
    }
    Ok(())
}
