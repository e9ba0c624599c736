//! `quantum backup` and `quantum restore`: local commands on data folders, whether a host serves or not.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar};
use quantum_store::Bucket;
use serde_json::{Value, json};

use super::error::CliError;
use super::output::Output;
use super::{Context, DataDir};
use crate::backup::{self, Restored, Saved};
use crate::settings::ServeOptions;

#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// Folder to make; it must not be there yet
    destination: PathBuf,
    /// Leave the keys out: whoever has the backup cannot sign tokens or read secrets
    #[arg(long)]
    without_keys: bool,
    /// Bucket of the host's blobs, as `quantum serve` has it [default: what quantum.toml says]
    #[arg(long, env = "QUANTUM_BLOBS", value_name = "URL")]
    blobs: Option<String>,
    #[command(flatten)]
    data_dir: DataDir,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreOptions {
    /// Folder that `quantum backup` made
    backup: PathBuf,
    /// Data folder to make; empty, or not there yet
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Bucket to restore blobs to [default: what the quantum.toml of the backup says]
    #[arg(long, env = "QUANTUM_BLOBS", value_name = "URL")]
    blobs: Option<String>,
}

impl BackupOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let (progress, begun) = (Progress::new("saved"), Instant::now());
        let each = |bytes| progress.file(bytes);
        let (data_dir, destination) = (self.data_dir.path(), &self.destination);
        let bucket = bucket(&data_dir, self.blobs)?;
        let saved = backup::save(&data_dir, bucket.as_ref(), destination, !self.without_keys, &each).await;
        progress.bar.finish_and_clear();
        let saved = saved.map_err(CliError::Backup)?;
        report_saved(context.output, &saved, destination, begun.elapsed().as_secs_f64())
    }
}

impl RestoreOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let (progress, begun) = (Progress::new("restored"), Instant::now());
        let each = |bytes| progress.file(bytes);
        let bucket = bucket(&self.backup, self.blobs.clone())?;
        let restored = backup::restore(&self.backup, &self.data_dir, bucket.as_ref(), &each).await;
        progress.bar.finish_and_clear();
        let restored = restored.map_err(CliError::Backup)?;
        let blobs = bucket.map(|bucket| bucket.address().to_string());
        report_restored(context.output, &restored, &self.data_dir, blobs, begun.elapsed().as_secs_f64())
    }
}

/// Where the blobs of a host with this configuration lie. None: in its data folder.
fn bucket(configured: &Path, blobs: Option<String>) -> Result<Option<Bucket>, CliError> {
    let data_dir = Some(configured.to_owned());
    let settings = ServeOptions { data_dir, blobs, ..ServeOptions::default() }.settle();
    let settings = settings.map_err(|error| CliError::Usage(crate::chain(&error)))?;
    let bucket = settings.bucket.map(Bucket::new).transpose();
    bucket.map_err(|error| CliError::Failed(crate::chain(&error)))
}

/// One line on standard error, where that is a terminal.
struct Progress {
    bar: ProgressBar,
    done: &'static str,
    files: Cell<u64>,
    bytes: Cell<u64>,
}

impl Progress {
    fn new(done: &'static str) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        Self { bar, done, files: Cell::new(0), bytes: Cell::new(0) }
    }

    fn file(&self, bytes: u64) {
        self.files.set(self.files.get() + 1);
        self.bytes.set(self.bytes.get() + bytes);
        let (files, bytes) = (self.files.get(), HumanBytes(self.bytes.get()));
        self.bar.set_message(format!("{} {files} files, {bytes}", self.done));
        self.bar.tick();
    }
}

fn report_saved(output: Output, saved: &Saved, to: &Path, seconds: f64) -> Result<(), CliError> {
    let Saved { tenants, executions, executions_open, files, bytes, left_out } = saved;
    if output == Output::Json {
        let value = json!({
            "backup": to.display().to_string(), "tenants": tenants, "executions": executions, "executions_open": executions_open,
            "files": files, "bytes": bytes, "seconds": seconds, "left_out": left_out,
        });
        return Ok(output.value(&value)?);
    }
    let counts = format!("{executions} executions ({executions_open} open) of {tenants} tenants");
    let (bytes, to) = (HumanBytes(*bytes), to.display());
    let mut out = io::stdout().lock();
    writeln!(out, "saved {counts}: {files} files, {bytes} in {seconds:.1} s, to {to}")?;
    if !left_out.is_empty() {
        writeln!(out, "left out, for they are none of the host's: {}", left_out.join(", "))?;
    }
    Ok(())
}

fn report_restored(
    output: Output,
    restored: &Restored,
    to: &Path,
    blobs: Option<String>,
    seconds: f64,
) -> Result<(), CliError> {
    let Restored { taken_at, tenants, executions, executions_open, files, bytes, keys_missing } = restored;
    if output == Output::Json {
        let value: Value = json!({
            "data_dir": to.display().to_string(), "taken_at": taken_at, "tenants": tenants, "executions": executions,
            "executions_open": executions_open, "files": files, "bytes": bytes, "seconds": seconds,
            "keys_missing": keys_missing, "blobs": blobs,
        });
        return Ok(output.value(&value)?);
    }
    let counts = format!("{executions} executions ({executions_open} open) of {tenants} tenants");
    let (bytes, to) = (HumanBytes(*bytes), to.display());
    let mut out = io::stdout().lock();
    writeln!(out, "restored {counts}, as of {taken_at}: {files} files, {bytes} in {seconds:.1} s")?;
    for key in keys_missing {
        writeln!(out, "first put {key} of the saved host to {to}/{key} (mode 600): {}", without(key))?;
    }
    let blobs = blobs.map(|address| format!(" --blobs {address}")).unwrap_or_default();
    writeln!(out, "next: quantum serve --data-dir {to}{blobs}")?;
    Ok(())
}

/// What happens when a host starts without the key.
fn without(key: &str) -> &'static str {
    match key {
        "keys/master.key" => "without it, or QUANTUM_MASTER_KEY, the host does not start",
        "keys/token.key" => "without it, the tokens that the host made end",
        _ => "without it, page tokens end, and components are compiled anew",
    }
}
