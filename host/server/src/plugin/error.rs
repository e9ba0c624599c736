//! What the plugin tool can fail at. Texts fit after "failed to".

use std::path::PathBuf;

use quantum_core::problem::Finding;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("start {program}; is it installed? https://rustup.rs has it")]
    Start { program: String, source: std::io::Error },

    #[error(
        "build the plugin: {what} ended with {status}; when the target is missing: rustup target add wasm32-wasip2"
    )]
    Cargo { what: &'static str, status: std::process::ExitStatus },

    #[error("read what cargo says of \"{path}\": {reason}")]
    Metadata { path: PathBuf, reason: String },

    #[error(
        "find a plugin in \"{path}\": its Cargo.toml needs\n\n[package.metadata.quantum]\nid = \"namespace:name\"\n"
    )]
    NotAPlugin { path: PathBuf },

    #[error(
        "find the component that cargo built; the crate needs\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n"
    )]
    NoComponent,

    #[error("use \"{path}\"")]
    File { path: PathBuf, source: std::io::Error },

    #[error("read the plugin \"{path}\"")]
    Package { path: PathBuf, source: quantum_marketplace::Error },

    #[error("read the manifest that the plugin tells")]
    Manifest(#[source] serde_json::Error),

    #[error("accept the plugin:\n{}", lines(.0))]
    Refused(Vec<Finding>),

    #[error("run the sandbox")]
    Sandbox(#[source] quantum_sandbox::Error),

    #[error("read the case \"{path}\": {reason}")]
    Case { path: PathBuf, reason: String },

    #[error("find cases in \"{path}\"; a case is a folder with input.json and output.json or error.json")]
    NoCases { path: PathBuf },

    #[error("write the output")]
    Output(#[from] std::io::Error),
}

impl Error {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// One line a finding.
pub(super) fn line(finding: &Finding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let place = if finding.pointer.is_empty() { "/" } else { &finding.pointer };
    format!("  {place}: {}{hint}", finding.message)
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
