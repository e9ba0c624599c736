//! What the plugin tool can fail at. Texts fit after "failed to".

use std::path::PathBuf;

use quantum_core::problem::Finding;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("start {program}; {install}")]
    Start { program: String, install: &'static str, source: std::io::Error },

    #[error("build for the target {target}, which is not installed; type: rustup target add {target}")]
    NoTarget { target: &'static str },

    #[error("build the plugin: {what} ended with {status}")]
    Cargo { what: &'static str, status: std::process::ExitStatus },

    #[error("read what cargo says of \"{path}\": {reason}")]
    Metadata { path: PathBuf, reason: String },

    #[error(
        "find a plugin in \"{path}\": its Cargo.toml needs\n\n[package.metadata.quantum]\nid = \"namespace:name\"\n"
    )]
    NotAPlugin { path: PathBuf },

    #[error(
        "find a plugin in \"{path}\": it has neither Cargo.toml, nor pyproject.toml, nor package.json; make one with: \
         quantum plugin new NAME"
    )]
    NoProject { path: PathBuf },

    #[error("make the plugin: \"{text}\" is no {what}; it is {reason}{suggestion}")]
    Name { what: &'static str, text: String, reason: &'static str, suggestion: String },

    #[error(
        "make the plugin: \"{path}\" is not empty, and nothing is overwritten; name another folder with --path DIR"
    )]
    NotEmpty { path: PathBuf },

    #[error(
        "find the SDK for Rust: there is no checkout of Quantum around the new folder or around this program; name one: \
         --sdk CHECKOUT"
    )]
    NoCheckout,

    #[error("find the SDK in \"{path}\": neither it nor its folder sdk is the package quantum-sdk")]
    NoSdk { path: PathBuf },

    #[error("use the plugin's \"{path}\": {reason}")]
    Project { path: PathBuf, reason: String },

    #[error("read the manifest \"{path}\"; schemas/manifest.json says what it holds")]
    ManifestFile { path: PathBuf, source: serde_json::Error },

    #[error("find {program}; {install}")]
    NoTool { program: &'static str, install: String },

    #[error("build the component: {what} ended with {status}:\n{said}")]
    Tool { what: &'static str, status: std::process::ExitStatus, said: String },

    #[error(
        "build a plugin in JavaScript that declares http or secrets: its engine makes no requests; write it in Rust or \
         Python, or leave the request to a step of its own"
    )]
    NotInJavaScript,

    #[error("keep compiled components")]
    Cache(#[source] crate::keys::KeyError),

    #[error(
        "find the component that cargo built; the crate needs\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n"
    )]
    NoComponent,

    #[error(
        "find the plugin \"{path}\": there is no such file or folder; quantum plugin build says what it writes"
    )]
    NoPlugin { path: PathBuf },

    #[error("use \"{path}\"")]
    File { path: PathBuf, source: std::io::Error },

    #[error("read the plugin \"{path}\"")]
    Package { path: PathBuf, source: quantum_marketplace::Error },

    #[error(
        "find an action in the crate: end src/lib.rs with plugin!(NAME), which says what the plugin offers"
    )]
    NoEntry(#[source] quantum_sandbox::Error),

    #[error(
        "find an action in the module: end it with Actions = plugin(NAME), which says what the plugin offers"
    )]
    NoActions,

    #[error("read the manifest that the plugin tells")]
    Manifest(#[source] serde_json::Error),

    #[error("accept the plugin:\n{}", lines(.0))]
    Refused(Vec<Finding>),

    #[error("run the sandbox")]
    Sandbox(#[source] quantum_sandbox::Error),

    #[error("read the case \"{path}\": {reason}")]
    Case { path: PathBuf, reason: String },

    #[error(
        "find cases in \"{path}\"; a case is a folder with input.json (or recording.json) and output.json or error.json"
    )]
    NoCases { path: PathBuf },

    #[error("find a case whose name contains \"{part}\" in \"{path}\"; there are: {names}")]
    NoneSuch { path: PathBuf, part: String, names: String },

    #[error(
        "keep the case in \"{path}\": it is there already, and nothing is overwritten; name another folder"
    )]
    CaseExists { path: PathBuf },

    #[error("call the action: {reason}")]
    Call { reason: String },

    #[error("call the action: it would be refused\n{}", lines(.0))]
    Misfits(Vec<Finding>),

    #[error(transparent)]
    Recording(quantum_core::recording::ReadError),

    #[error("make the attempt again: {0}")]
    Differs(quantum_core::recording::Difference),

    #[error("pack \"{path}\" onto itself; name another file with --out FILE")]
    PackOntoItself { path: PathBuf },

    #[error("write the output")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// What was typed cannot be done, whatever the plugin is like.
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Call { .. } | Self::Misfits(_) | Self::Recording(_) | Self::PackOntoItself { .. }
        )
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

/// One line a finding.
pub(super) fn line(finding: &Finding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("  {}: {}{hint}", place(finding), finding.message)
}

/// The whole document has a name too.
pub(super) fn place(finding: &Finding) -> &str {
    if finding.pointer.is_empty() { "/" } else { &finding.pointer }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
