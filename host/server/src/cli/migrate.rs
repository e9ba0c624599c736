//! `quantum migrate`: the way of a data folder from SQLite to PostgreSQL, with the host stopped.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::{HumanCount, ProgressBar};
use quantum_store::{ComparedTable, Difference, PostgresOptions, TransferOptions, TransferStep, Transferred};
use serde_json::{Value, json};
use url::Url;

use super::Context;
use super::error::CliError;
use super::output::{Output, write_table};
use crate::wire::{DATABASE, WireError, claim};

#[derive(Debug, Args)]
pub(crate) struct MigrateOptions {
    /// Data folder of a stopped host; its database is read, and stays as it is
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Empty PostgreSQL database, made ready by `quantum store prepare`
    #[arg(long, env = "QUANTUM_STORE", hide_env_values = true, value_name = "URL")]
    to: String,
    /// Folder of keys, blobs, artifacts and archive that hosts are to share [default: the data folder]
    #[arg(long, env = "QUANTUM_SHARED_DIR", value_name = "DIR")]
    shared_dir: Option<PathBuf>,
}

impl MigrateOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let database = self.from.join(DATABASE);
        if !database.is_file() {
            let told = "has no database; name the data folder of a host with --from";
            return Err(CliError::Usage(format!("{} {told}", self.from.display())));
        }
        // No host starts on the folder meanwhile.
        let _lock = claim(&self.from).map_err(|error| locked(&self.from, &error))?;
        let (progress, begun) = (Progress::new(), Instant::now());
        let options = TransferOptions::new(database, PostgresOptions::new(self.to.clone()));
        let moved = quantum_store::transfer(options, &|step| progress.step(step)).await;
        progress.bar.finish_and_clear();
        let moved = moved.map_err(CliError::Transfer)?;
        self.report(context.output, &moved, begun.elapsed().as_secs_f64())?;
        if moved.differences.is_empty() { Ok(()) } else { Err(differ(&self.from)) }
    }

    fn report(&self, output: Output, moved: &Transferred, seconds: f64) -> Result<(), CliError> {
        let tables: Vec<Value> = moved.tables.iter().map(table).collect();
        let next = self.next(moved);
        if output == Output::Json {
            let differences: Vec<Value> = moved.differences.iter().map(difference).collect();
            let value = json!({
                "from": self.from.display().to_string(), "to": without_password(&self.to), "tenants": moved.tenants,
                "continued": moved.is_continued, "equal": moved.differences.is_empty(), "seconds": seconds,
                "tables": tables, "differences": differences, "next": next,
            });
            return Ok(output.value(&value)?);
        }
        write_table(
            &tables,
            &[("TABLE", "table"), ("ROWS", "rows"), ("SHA-256", "sha256"), ("EQUAL", "equal")],
        )?;
        let mut out = io::stdout().lock();
        for Difference { table, tenant, rows, rows_moved } in &moved.differences {
            let of = tenant.as_ref().map_or_else(String::new, |tenant| format!(" of {tenant}"));
            writeln!(out, "differs: {table}{of}, {rows} rows in SQLite and {rows_moved} in PostgreSQL")?;
        }
        if moved.differences.is_empty() {
            let rows: u64 = moved.tables.iter().map(|table| table.rows).sum();
            let (rows, tenants) = (HumanCount(rows), moved.tenants);
            writeln!(out, "moved and compared {rows} rows of {tenants} tenants in {seconds:.1} s")?;
        }
        for line in next {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// What to do now, a line each. Files stay where they are.
    fn next(&self, moved: &Transferred) -> Vec<String> {
        if !moved.differences.is_empty() {
            return Vec::new();
        }
        let from = self.from.display();
        let mut lines = Vec::new();
        let mut command =
            format!("next: quantum serve --store {} --data-dir {from}", without_password(&self.to));
        if let Some(shared) = &self.shared_dir {
            let to = shared.display();
            if !shared.join("keys").is_dir() {
                lines.push(format!(
                    "first copy keys, blobs, artifacts and archive, those that are there, from {from} to {to}"
                ));
            }
            command += &format!(" --shared-dir {to}");
        }
        lines.push(command);
        lines.push(format!(
            "from now on {from}/{DATABASE} is old: a host without --store would do everything again that is done since"
        ));
        lines
    }
}

fn locked(from: &Path, error: &WireError) -> CliError {
    match error {
        WireError::InUse { .. } => {
            CliError::Failed(format!("a host serves the data folder {}; stop it first", from.display()))
        }
        other => CliError::Failed(crate::chain(other)),
    }
}

fn differ(from: &Path) -> CliError {
    CliError::Failed(format!(
        "the two databases are not equal, and no host starts on the new one; {} is as it was. Make the new one again \
         (dropdb, createdb, quantum store prepare), then repeat the command",
        from.join(DATABASE).display()
    ))
}

fn table(table: &ComparedTable) -> Value {
    let ComparedTable { name, rows, rows_moved, sha256, sha256_moved } = table;
    json!({
        "table": name, "rows": rows, "rows_moved": rows_moved, "sha256": sha256, "sha256_moved": sha256_moved,
        "equal": table.is_equal(),
    })
}

fn difference(difference: &Difference) -> Value {
    let Difference { table, tenant, rows, rows_moved } = difference;
    json!({ "table": table, "tenant": tenant, "rows": rows, "rows_moved": rows_moved })
}

/// To be shown: whoever types it knows the password.
fn without_password(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "URL".to_owned() };
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, _)| name != "password").collect();
    // Err: there is no password in such a URL.
    _ = url.set_password(None);
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url.into()
}

/// One line on standard error, where that is a terminal.
struct Progress {
    bar: ProgressBar,
    moved: Cell<u64>,
    compared: Cell<u64>,
}

impl Progress {
    fn new() -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        Self { bar, moved: Cell::new(0), compared: Cell::new(0) }
    }

    fn step(&self, step: TransferStep) {
        match step {
            TransferStep::Moved(rows) => self.moved.set(self.moved.get() + rows),
            TransferStep::Compared(rows) => self.compared.set(self.compared.get() + rows),
        }
        let (moved, compared) = (HumanCount(self.moved.get()), HumanCount(self.compared.get()));
        self.bar.set_message(format!("moved {moved} rows, compared {compared}"));
        self.bar.tick();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (given, shown) in [
            ("postgres://q:s3cr%40t@db:5432/quantum", "postgres://q@db:5432/quantum"),
            (
                "postgres://q@db/quantum?sslmode=verify-full&password=s3cret",
                "postgres://q@db/quantum?sslmode=verify-full",
            ),
            ("s3cret", "URL"),
        ] {
            assert_eq!(without_password(given), shown);
        }
    }
}
