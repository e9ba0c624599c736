//! `quantum plugin dev`: builds the plugin and runs its cases, or one call, each time that a file changes. It ends on
//! Ctrl-C, and on nothing that an author can write. Nothing is cleared from the terminal.

use std::io::Write;
use std::path::{Path, PathBuf};

use quantum_core::manifest::{Capabilities, Manifest};
use quantum_core::port::AttemptOutcome;
use serde_json::Value;

use super::allow;
use super::cargo;
use super::case;
use super::error::Error;
use super::languages;
use super::network::Network;
use super::packed::{Packed, form};
use super::report::{billed, failure_document, logged};
use super::run::{CallArgs, Ended, complain, ended, make, print_remedies};
use super::test::run_cases;
use super::watch::Sources;

#[derive(Debug, Clone, clap::Args)]
pub struct DevArgs {
    /// Folder of the plugin
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Make one call of this action, in place of the cases
    #[arg(long, value_name = "ACTION")]
    pub call: Option<String>,
    #[command(flatten)]
    pub with: CallArgs,
    /// Run only the cases whose name contains this
    #[arg(long, value_name = "TEXT", conflicts_with = "call")]
    pub filter: Option<String>,
    #[command(flatten)]
    pub network: Network,
}

/// Until Ctrl-C.
pub async fn dev(args: &DevArgs, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    if !languages::is_project(&args.dir) {
        return Err(Error::NoProject { path: args.dir.clone() });
    }
    let parameters = args.with.parameters()?;
    tokio::select! {
        ended = watch(args, parameters, out) => ended,
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
    }
}

/// Ends only when nobody reads what it says.
async fn watch(args: &DevArgs, mut typed: Option<Value>, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    loop {
        // Looked at before the build: what changes during it is noticed behind it.
        let mut sources = Sources::of(watched(args).await);
        match turn(args, typed.clone(), out).await {
            Ok(()) => {}
            Err(Error::Output(error)) => return Err(Error::Output(error)),
            Err(error) => print_error(args, &error, out)?,
        }
        sources.forgive_builds();
        writeln!(out, "waiting for a change in {}; Ctrl-C ends", args.dir.display())?;
        let changed = sources.change().await;
        let dir = args.dir.canonicalize().unwrap_or_else(|_| args.dir.clone());
        writeln!(out, "\nchanged: {}", changed.strip_prefix(&dir).unwrap_or(&changed).display())?;
        typed = args.parameters_again(typed);
    }
}

/// One build, and what follows it.
async fn turn(args: &DevArgs, typed: Option<Value>, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let packed = Packed::open(&args.dir, &args.network, out).await?;
    let Some(action) = &args.call else {
        let cases = case::find_some(&args.dir.join("cases"), args.filter.as_deref())?;
        return run_cases(&packed, &cases, out).await.map(drop);
    };
    let (call, called) = make(&packed, action, &args.with, typed).await?;
    for line in &called.logs {
        writeln!(out, "log: {}", logged(line))?;
    }
    let ended = ended(&called);
    match (&ended, &called.report.outcome) {
        (Ended::Completed, AttemptOutcome::Completed(value)) => {
            writeln!(out, "{action} completed: {value:#}")?;
        }
        (Ended::Failed { problem, .. }, _) => {
            writeln!(out, "{action} failed: {problem}")?;
            print_remedies(&packed, &called, "  ", out)?;
        }
        (_, outcome) => writeln!(out, "{action} ended: {:#}", failure_document(outcome))?,
    }
    complain(&call, out)?;
    writeln!(out, "bill: {}", billed(&called.report.bill))?;
    Ok(())
}

/// The plugin's folder, those of crates that it names by a path, and what is named beside it.
async fn watched(args: &DevArgs) -> Vec<PathBuf> {
    let file = args.with.params.as_ref().and_then(|typed| typed.strip_prefix('@')).map(PathBuf::from);
    let crates = cargo::by_path(&args.dir).await;
    crates.into_iter().chain(args.with.given.clone()).chain(file).collect()
}

impl DevArgs {
    /// A file of parameters may have changed; while it cannot be read, the old ones stay.
    fn parameters_again(&self, typed: Option<Value>) -> Option<Value> {
        let file = self.with.params.as_ref().is_some_and(|params| params.starts_with('@'));
        if file { self.with.parameters().ok().flatten().or(typed) } else { typed }
    }
}

/// The whole chain, as the program tells it at its end.
fn print_error(args: &DevArgs, error: &Error, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    writeln!(out, "error: {}", crate::chain(error))?;
    if let Error::Refused(findings) = error {
        let (form, declared) = (form(&args.dir), declared(&args.dir));
        for remedy in allow::of_findings(findings) {
            writeln!(out, "  {}", remedy.line(form, &declared))?;
        }
    }
    Ok(())
}

/// What `manifest.json` of the folder declares; nothing when there is none, or none that can be read.
fn declared(dir: &Path) -> Capabilities {
    let text = std::fs::read_to_string(dir.join("manifest.json")).unwrap_or_default();
    let manifest: Option<Manifest> = serde_json::from_str(&text).ok();
    manifest.map(|manifest| manifest.capabilities).unwrap_or_default()
}
