//! Imports ⊆ declared capabilities. Names are compared without versions: which versions fit is the host's business when
//! it links.

use std::collections::BTreeSet;

use quantum_core::manifest::Capabilities;
use quantum_core::problem::Finding;
use quantum_core::vocabulary::Capability;

/// What every plugin exports.
const ENTRY: &str = "quantum:plugin/actions";
/// Only of the build that tells its manifest.
const DESCRIBE: &str = "quantum:plugin/describe";

/// What an imported interface asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Every plugin may have it: its own log and context, and what language runtimes start with. The environment is
    /// empty, and the seed is only that of hash tables.
    Nothing,
    Capability(Capability),
    /// Linked, but every call of it fails.
    NeverGranted,
    Unknown,
}

fn need(import: &str) -> Need {
    let name = import.split('@').next().unwrap_or(import);
    let (package, interface) = name.split_once('/').unwrap_or((name, ""));
    match (package, interface) {
        ("quantum:context" | "quantum:log" | "wasi:io" | "wasi:cli", _) => Need::Nothing,
        ("wasi:random", "insecure-seed") => Need::Nothing,
        ("wasi:random", _) => Need::Capability(Capability::Random),
        ("wasi:clocks", _) => Need::Capability(Capability::Clock),
        ("wasi:http", "types" | "outgoing-handler") => Need::Capability(Capability::Http),
        ("quantum:kv", _) => Need::Capability(Capability::Kv),
        ("quantum:artifacts", _) => Need::Capability(Capability::Artifacts),
        ("quantum:secrets", "secrets") => Need::Capability(Capability::SecretsUse),
        ("quantum:secrets", "reveal") => Need::Capability(Capability::SecretsReveal),
        ("wasi:filesystem" | "wasi:sockets", _) => Need::NeverGranted,
        _ => Need::Unknown,
    }
}

/// The capabilities that these imports need, each once.
pub(crate) fn proven(imports: &[&str]) -> Vec<Capability> {
    let needed: BTreeSet<Capability> = imports
        .iter()
        .filter_map(|import| match need(import) {
            Need::Capability(capability) => Some(capability),
            _ => None,
        })
        .collect();
    needed.into_iter().collect()
}

/// The entry point is there, and the describing one is not.
pub(crate) fn exports(exports: &[String]) -> Vec<Finding> {
    let has = |name: &str| exports.iter().any(|export| export.split('@').next() == Some(name));
    let mut findings = Vec::new();
    if !has(ENTRY) {
        let message = format!("the component does not export {ENTRY}");
        findings
            .push(Finding::error("/exports", "plugin-entry", message).hint("end the crate with plugin!(…)"));
    }
    if has(DESCRIBE) {
        let message = format!("the component exports {DESCRIBE}, which only the describing build has");
        findings.push(
            Finding::error("/exports", "plugin-entry", message).hint("make it with: quantum plugin build"),
        );
    }
    findings
}

/// Every import is ambient or declared; what is declared and not imported is told.
pub(crate) fn imports(imports: &[String], declared: &Capabilities) -> Vec<Finding> {
    let names: Vec<&str> = imports.iter().map(String::as_str).collect();
    let (declared, proven) = (declared.declared(), proven(&names));
    let undeclared = names.iter().filter_map(|import| match need(import) {
        Need::Capability(capability) if !declared.contains(&capability) => {
            Some(undeclared(import, capability))
        }
        Need::NeverGranted => {
            let message = format!("imports {import}, which no plugin is granted: every call of it fails");
            let finding = Finding::warning("/imports", "import-denied", message);
            let is_file = import.starts_with("wasi:filesystem/");
            Some(if is_file { finding.hint("there are no files; read and write artifacts") } else { finding })
        }
        Need::Unknown => {
            let message = format!("imports {import}, which no host of plugins provides");
            Some(
                Finding::error("/imports", "import-unknown", message)
                    .hint("use what quantum_sdk offers instead"),
            )
        }
        _ => None,
    });
    let unused = declared.iter().filter(|capability| !proven.contains(capability)).map(|capability| {
        let message = format!("declares {capability}, and the binary cannot use it");
        Finding::warning("/capabilities", "capability-unused", message).hint("take it out of #[action(…)]")
    });
    undeclared.chain(unused).collect()
}

fn undeclared(import: &str, capability: Capability) -> Finding {
    let message = format!("imports {import}, and {capability} is not declared");
    let declare = match capability {
        Capability::Http => "http = \"https://api.example.com\" or http = slot(\"name\")",
        Capability::Kv => "kv",
        Capability::Artifacts => "artifacts",
        Capability::SecretsUse => "secrets(\"NAME\")",
        Capability::SecretsReveal => "reveal(\"NAME\")",
        Capability::Clock => "clock",
        Capability::Random => "random",
    };
    let hint = format!("declare it with #[action({declare})]");
    Finding::error("/capabilities", "capability-undeclared", message).hint(hint)
}
