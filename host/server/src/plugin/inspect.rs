//! `quantum plugin inspect`: what a packed plugin says, and what its binary proves.

use std::io::Write;
use std::path::PathBuf;

use quantum_core::manifest::{ActionManifest, Effects};
use quantum_core::vocabulary::Capability;
use quantum_marketplace::Inspection;

use super::error::{Error, line};

#[derive(Debug, Clone, clap::Args)]
pub struct InspectArgs {
    /// A packed plugin, for example target/plugins/hello.wasm
    pub file: PathBuf,
    /// Print the whole manifest as JSON and nothing else
    #[arg(long)]
    pub manifest: bool,
}

/// Prints a packed plugin for people.
pub async fn inspect(args: &InspectArgs, out: &mut (dyn Write + Send)) -> Result<Inspection, Error> {
    let component = tokio::fs::read(&args.file).await.map_err(Error::file(&args.file))?;
    let package = |source| Error::Package { path: args.file.clone(), source };
    let inspection = quantum_marketplace::inspect(&component).map_err(package)?;
    if args.manifest {
        writeln!(out, "{}", serde_json::to_string_pretty(&inspection.manifest).map_err(Error::Manifest)?)?;
    } else {
        print(&inspection, out)?;
    }
    Ok(inspection)
}

fn print(inspection: &Inspection, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let manifest = &inspection.manifest;
    writeln!(out, "{} {}  {}", manifest.id, manifest.version, manifest.title)?;
    if !manifest.description.is_empty() {
        writeln!(out, "  {}", manifest.description)?;
    }
    writeln!(out, "\ndigest     {}", inspection.digest)?;
    writeln!(out, "size       {} bytes", thousands(inspection.size_bytes))?;
    writeln!(out, "publisher  {}", or_dash(&manifest.publisher))?;
    writeln!(out, "\nactions")?;
    for action in &manifest.actions {
        print_action(action, out)?;
    }
    print_capabilities(inspection, out)?;
    print_list("imports", &inspection.imports, out)?;
    print_list("exports", &inspection.exports, out)?;
    let findings = inspection.findings();
    writeln!(out, "\nfindings   {}", if findings.is_empty() { "none" } else { "" })?;
    for finding in &findings {
        writeln!(out, "{} ({})", line(finding), if finding.is_error() { "error" } else { "warning" })?;
    }
    Ok(())
}

fn print_action(action: &ActionManifest, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let words = [
        (action.idempotent, "idempotent"),
        (action.effects == Effects::AtMostOnce, "at most once"),
        (!action.side_effects, "no side effects"),
        (action.reversible, "reversible"),
        (action.dry_run, "dry run"),
    ];
    let words: Vec<&str> = words.into_iter().filter(|(said, _)| *said).map(|(_, word)| word).collect();
    writeln!(out, "  {:<24} {}", action.name, action.title)?;
    if !action.aliases.is_empty() {
        writeln!(out, "  {:<24} also called {}", "", action.aliases.join(", "))?;
    }
    if !words.is_empty() {
        writeln!(out, "  {:<24} {}", "", words.join(", "))?;
    }
    Ok(())
}

fn print_capabilities(inspection: &Inspection, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let declared = inspection.manifest.capabilities.declared();
    writeln!(out, "\ncapabilities")?;
    let mut any = false;
    for capability in Capability::ALL {
        let (said, proven) = (declared.contains(capability), inspection.proven.contains(capability));
        let verdict = match (said, proven) {
            (true, true) => "declared, and the binary can use it",
            (true, false) => "declared, and the binary cannot use it",
            (false, true) => "NOT declared, and the binary can use it",
            (false, false) => continue,
        };
        any = true;
        writeln!(out, "  {:<24} {verdict}", capability.as_str())?;
    }
    if let Some(http) = &inspection.manifest.capabilities.http {
        http.hosts.iter().try_for_each(|host| writeln!(out, "  {:<24} connects to {host}", ""))?;
        http.slots
            .iter()
            .try_for_each(|slot| writeln!(out, "  {:<24} slot {slot}: the installer says where to", ""))?;
    }
    if !any {
        writeln!(out, "  none")?;
    }
    Ok(())
}

fn print_list(title: &str, names: &[String], out: &mut (dyn Write + Send)) -> Result<(), Error> {
    writeln!(out, "\n{title}")?;
    names.iter().try_for_each(|name| writeln!(out, "  {name}"))?;
    Ok(())
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// `1234567` → `1 234 567`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
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
