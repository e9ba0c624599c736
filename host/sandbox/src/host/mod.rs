//! What guests may call: our own interfaces, and of WASI the standard library's baseline, clocks, randomness and HTTP.

mod bindings;
mod context;
mod log;
mod effects;
mod kv;
mod artifacts;
mod secrets;
mod gated;
mod stdio;
mod http;
mod link;

use std::time::{SystemTime, UNIX_EPOCH};

use quantum_core::time::Timestamp;

pub use artifacts::{Reader, Writer};
pub(crate) use bindings::RunnerPre;
pub(crate) use bindings::describing::DescriberPre;
pub(crate) use bindings::exports::quantum::plugin::actions::Failure as PluginFailure;
#[cfg(test)]
pub(crate) use bindings::exports::quantum::plugin::actions::Problem as PluginProblem;
pub(crate) use effects::{Effects, Moved, Sources};
pub(crate) use http::HttpHooks;
pub(crate) use link::{PACKAGES, linker};
pub(crate) use stdio::StdStream;

/// The wall clock, which decisions and log lines are stamped with.
#[expect(clippy::disallowed_methods, reason = "a decision is stamped when it happens, in a guest's call")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
