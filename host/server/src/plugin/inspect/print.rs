//! A packed plugin for people.

use std::io::Write;

use quantum_core::manifest::{ActionManifest, Capabilities, Effects, HttpDeclaration};
use quantum_marketplace::Inspection;

use super::document::{Compared, Package, capabilities, host, memory_bytes, packages};
use super::{grouped, thousands};
use crate::plugin::declaration::word;
use crate::plugin::error::{Error, line};

const MIB: u64 = 1024 * 1024;

type Out<'a> = &'a mut (dyn Write + Send);

pub(super) fn print(inspection: &Inspection, out: Out<'_>) -> Result<(), Error> {
    let manifest = &inspection.manifest;
    writeln!(out, "{} {}  {}", manifest.id, manifest.version, manifest.title)?;
    if !manifest.description.is_empty() {
        writeln!(out, "  {}", manifest.description)?;
    }
    writeln!(out, "\ndigest     {}", inspection.digest)?;
    writeln!(out, "size       {} bytes", thousands(inspection.size_bytes))?;
    print_memory(inspection, out)?;
    writeln!(out, "publisher  {}", if manifest.publisher.is_empty() { "-" } else { &manifest.publisher })?;
    writeln!(out, "config     {}", if manifest.config.is_some() { "takes some" } else { "takes none" })?;
    writeln!(out, "\nactions")?;
    for action in &manifest.actions {
        print_action(action, out)?;
    }
    print_capabilities(inspection, out)?;
    print_wit(&packages(inspection), out)?;
    print_imports(inspection, out)?;
    print_list("exports", &inspection.exports, out)?;
    let findings = inspection.findings();
    writeln!(out, "\nfindings   {}", if findings.is_empty() { "none" } else { "" })?;
    for finding in &findings {
        writeln!(out, "{} ({})", line(finding), if finding.is_error() { "error" } else { "warning" })?;
    }
    Ok(())
}

fn print_memory(inspection: &Inspection, out: Out<'_>) -> Result<(), Error> {
    let (given, asked) = (memory_bytes(inspection), inspection.manifest.memory_bytes_max);
    let why = match asked {
        None => "the default".to_owned(),
        Some(asked) if asked > given => {
            format!("the most that a host gives; it asks for {} MiB", asked / MIB)
        }
        Some(_) => "asked for".to_owned(),
    };
    writeln!(out, "memory     {} MiB ({why})", given / MIB)?;
    Ok(())
}

fn print_action(action: &ActionManifest, out: Out<'_>) -> Result<(), Error> {
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

fn print_capabilities(inspection: &Inspection, out: Out<'_>) -> Result<(), Error> {
    let compared = capabilities(inspection);
    writeln!(out, "\ncapabilities")?;
    for Compared { capability, declared, proven } in &compared {
        let verdict = match (declared, proven) {
            (true, true) => "declared, and the binary can use it",
            (true, false) => "declared, and the binary cannot use it",
            _ => "NOT declared, and the binary can use it",
        };
        writeln!(out, "  {:<24} {verdict}", capability.as_str())?;
    }
    if compared.is_empty() {
        writeln!(out, "  none")?;
    }
    let declared = &inspection.manifest.capabilities;
    if let Some(http) = &declared.http {
        print_http(http, out)?;
    }
    print_secrets(declared, out)
}

fn print_http(http: &HttpDeclaration, out: Out<'_>) -> Result<(), Error> {
    writeln!(out, "\nhttp")?;
    for pattern in &http.hosts {
        let (methods, target) = host(pattern);
        let methods = if methods.is_empty() { "every method".to_owned() } else { methods.join(", ") };
        writeln!(out, "  {target:<40} {methods}")?;
    }
    for slot in &http.slots {
        writeln!(out, "  slot {slot:<35} the installer says where to")?;
    }
    if let Some(bytes) = http.response_bytes_max {
        writeln!(out, "  answers of at most {} bytes", grouped(bytes, " "))?;
    }
    Ok(())
}

fn print_secrets(declared: &Capabilities, out: Out<'_>) -> Result<(), Error> {
    if declared.secrets.is_empty() && declared.reveal.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nsecrets")?;
    for secret in &declared.secrets {
        let places: Vec<_> = secret.places.iter().map(|place| word(*place)).collect();
        writeln!(out, "  {:<24} put into: {}", secret.name, places.join(", "))?;
    }
    for name in &declared.reveal {
        writeln!(out, "  {name:<24} shown to the plugin")?;
    }
    Ok(())
}

fn print_wit(packages: &[Package], out: Out<'_>) -> Result<(), Error> {
    writeln!(out, "\nwit")?;
    for package in packages {
        let version = package.bound.as_ref().or(package.declared.as_ref());
        let version = version.map(String::as_str).unwrap_or_default();
        let note = match (&package.declared, &package.bound) {
            (Some(declared), Some(_)) if package.differs() => {
                format!("the manifest says {declared}, which DIFFERS")
            }
            (Some(_), None) => "in the manifest; the binary uses nothing of it".to_owned(),
            _ => String::new(),
        };
        writeln!(out, "{}", format!("  {:<24} {version:<8} {note}", package.name).trim_end())?;
    }
    Ok(())
}

/// With those told apart that only lend their types to a neighbour.
fn print_imports(inspection: &Inspection, out: Out<'_>) -> Result<(), Error> {
    let names = inspection.imports.iter().map(|name| {
        if inspection.callable.contains(name) { name.clone() } else { format!("{name} (types only)") }
    });
    print_list("imports", &names.collect::<Vec<_>>(), out)
}

fn print_list(title: &str, names: &[String], out: Out<'_>) -> Result<(), Error> {
    writeln!(out, "\n{title}")?;
    names.iter().try_for_each(|name| writeln!(out, "  {name}"))?;
    Ok(())
}
