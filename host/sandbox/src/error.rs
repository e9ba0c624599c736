//! What can go wrong outside of attempts: starting the sandbox, and taking a component in.

use quantum_core::id::Digest;
use quantum_core::problem::Problem;

use crate::fit::FitReport;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The code of what is not the component's fault.
const INTERNAL: &str = "internal";

/// Fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("start the WebAssembly engine")]
    Engine(#[source] Source),

    #[error("set up TLS for outgoing requests")]
    Tls(#[source] rustls::Error),

    #[error("use the component cache in \"{path}\"")]
    Cache { path: String, source: std::io::Error },

    #[error(
        "take in a component of {bytes} bytes: at most {bytes_max} are compiled; build it with opt-level \"s\" and lto"
    )]
    TooLarge { bytes: usize, bytes_max: usize },

    #[error("compile the component: {reason}")]
    Compile { reason: String },

    #[error(
        "compile the component: it takes more than {cpu_ms_max} ms of processor time, or than {ms_max} ms in all"
    )]
    CompileTimeout { ms_max: u64, cpu_ms_max: u64 },

    #[error("compile the component: it takes more than {bytes_max} bytes of memory")]
    CompileMemory { bytes_max: u64 },

    #[error("compile the component: its machine code has more than {bytes_max} bytes")]
    CodeTooLarge { bytes_max: usize },

    #[error("compile the component: the compiler ended with {how}{}", said(.words))]
    CompilerCrashed { how: String, words: String },

    #[error("start the compiler \"{program}\"")]
    CompilerStart { program: String, source: std::io::Error },

    #[error("talk to the compiler")]
    CompilerPipe(#[source] std::io::Error),

    #[error("start the component, as each of its attempts begins: {}", .0.message)]
    DoesNotStart(Box<Problem>),

    #[error("fit the component to this host\n{0}")]
    DoesNotFit(FitReport),

    #[error("read the component {component}")]
    Read { component: Digest, source: std::io::Error },

    #[error("find the component {component}: it is not stored on this host; install the plugin again")]
    NotStored { component: Digest },

    #[error("read the component {component}: its stored bytes have another digest; install the plugin again")]
    Altered { component: Digest },

    #[error("ask the component for its manifest: {reason}")]
    Describe { reason: String },
}

impl Error {
    /// Kebab-case, with a page under docs/errors. `internal`: it is the host's fault and not the component's.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Compile { .. } | Self::DoesNotFit(_) => "invalid-plugin",
            Self::CompileTimeout { .. } => "compile-timeout",
            Self::CompileMemory { .. } | Self::CodeTooLarge { .. } => "compile-memory",
            Self::CompilerCrashed { .. } => "compiler-crashed",
            Self::DoesNotStart(_) => "plugin-does-not-start",
            Self::Engine(_)
            | Self::Tls(_)
            | Self::Cache { .. }
            | Self::CompilerStart { .. }
            | Self::CompilerPipe(_)
            | Self::Read { .. }
            | Self::NotStored { .. }
            | Self::Altered { .. }
            | Self::Describe { .. } => INTERNAL,
        }
    }

    /// Whether this host cannot use the component, however often it is tried.
    pub(crate) fn is_components(&self) -> bool {
        self.code() != INTERNAL
    }

    /// Whether the host could not do its own part.
    pub(crate) fn is_hosts(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::CompilerStart { .. } | Self::CompilerPipe(_))
    }

    /// The innermost text of a compiler's error: the outer ones only say where it was called.
    pub(crate) fn compile(error: &wasmtime::Error) -> Self {
        Self::Compile { reason: format!("{error:#}") }
    }

    pub(crate) fn compiler_pipe(source: std::io::Error) -> Self {
        Self::CompilerPipe(source)
    }

    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// What a compiler said before it crashed: the end of it, on one line.
fn said(words: &str) -> String {
    let last = words.lines().rev().map(str::trim).find(|line| !line.is_empty());
    last.map(|line| format!(" ({line})")).unwrap_or_default()
}
