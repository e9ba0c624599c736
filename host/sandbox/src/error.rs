//! What can go wrong outside of attempts: starting the sandbox, and taking a component in.

use quantum_core::id::Digest;

use crate::fit::FitReport;

type Source = Box<dyn std::error::Error + Send + Sync>;

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
    /// The innermost text of a compiler's error: the outer ones only say where it was called.
    pub(crate) fn compile(error: &wasmtime::Error) -> Self {
        Self::Compile { reason: format!("{error:#}") }
    }

    pub(crate) fn engine(error: wasmtime::Error) -> Self {
        Self::Engine(error.into())
    }
}
