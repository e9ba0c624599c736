//! `quantum plugin test`: all cases of a plugin, in the real sandbox, as a table.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use quantum_marketplace::Inspection;

use super::case::{self, Case};
use super::error::Error;
use super::network::Network;
use super::packed::Packed;
use super::report::{logged, milliseconds};
use super::run_case::{self, Outcome};

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
    #[command(flatten)]
    pub network: Network,
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

/// Builds the plugin, when it is a folder, and runs its cases.
pub async fn test(args: &TestArgs, out: &mut (dyn Write + Send)) -> Result<TestSummary, Error> {
    let packed = Packed::open(&args.plugin, &args.network, out).await?;
    let beside = || if args.plugin.is_dir() { args.plugin.join("cases") } else { PathBuf::from("cases") };
    let dir = args.cases.clone().unwrap_or_else(beside);
    run_cases(&packed, &case::find_some(&dir, args.filter.as_deref())?, out).await
}

/// Runs the cases and prints a line for each.
pub(super) async fn run_cases(
    packed: &Packed,
    cases: &[Case],
    out: &mut (dyn Write + Send),
) -> Result<TestSummary, Error> {
    writeln!(out, "{} {}", packed.inspection.manifest.id, packed.inspection.manifest.version)?;
    let mut summary = TestSummary::default();
    for case in cases {
        let outcome = match run_case::run(packed, case).await {
            // The others are run all the same.
            Err(broken @ Error::Case { .. }) => Outcome::broken(&broken),
            outcome => outcome?,
        };
        summary.count(&outcome);
        print(packed, case, &outcome, out)?;
    }
    untested(&packed.inspection, cases, out)?;
    writeln!(out, "{} passed, {} failed", summary.passed, summary.failed)?;
    Ok(summary)
}

impl TestSummary {
    fn count(&mut self, outcome: &Outcome) {
        if outcome.complaints.is_empty() { self.passed += 1 } else { self.failed += 1 }
    }
}

fn print(packed: &Packed, case: &Case, outcome: &Outcome, out: &mut (dyn Write + Send)) -> Result<(), Error> {
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
    for remedy in &outcome.remedies {
        let line = remedy.line(packed.form, &packed.inspection.manifest.capabilities);
        writeln!(out, "         {line}")?;
    }
    outcome.logs.iter().try_for_each(|line| writeln!(out, "         log: {}", logged(line)))?;
    Ok(())
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
