//! `quantum plugin inspect`: what a packed plugin says, and what its binary proves.

mod document;
mod print;

use std::io::Write;
use std::path::PathBuf;

use quantum_marketplace::Inspection;

use super::error::Error;
use document::document;
use print::print;

#[derive(Debug, Clone, clap::Args)]
pub struct InspectArgs {
    /// A packed plugin, for example target/plugins/hello.wasm
    pub file: PathBuf,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "manifest")]
    pub json: bool,
    /// Print the whole manifest as JSON and nothing else
    #[arg(long)]
    pub manifest: bool,
}

/// Prints a packed plugin.
pub async fn inspect(args: &InspectArgs, out: &mut (dyn Write + Send)) -> Result<Inspection, Error> {
    let component = tokio::fs::read(&args.file).await.map_err(Error::file(&args.file))?;
    let package = |source| Error::Package { path: args.file.clone(), source };
    let inspection = quantum_marketplace::inspect(&component).map_err(package)?;
    if args.manifest {
        writeln!(out, "{}", serde_json::to_string_pretty(&inspection.manifest).map_err(Error::Manifest)?)?;
    } else if args.json {
        writeln!(out, "{:#}", document(&inspection))?;
    } else {
        print(&inspection, out)?;
    }
    Ok(inspection)
}

/// `1234567` → `1 234 567`.
pub(super) fn thousands(number: usize) -> String {
    grouped(number as u64, " ")
}

/// Digits in threes from the right, with this between them.
pub(super) fn grouped(number: u64, between: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push_str(between);
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes_from_the_right() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
