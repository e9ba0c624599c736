//! The host's functions, as seen from inside a component. Calls are static: what is not called is not imported.

mod artifacts;
mod exports;
mod http;
mod kv;
mod panic;
mod secrets;

pub(crate) use artifacts::{ArtifactReader, ArtifactWriter};
pub(crate) use http::AnswerBody;

use std::time::Duration;

use crate::bindings::quantum::context::context;
use crate::bindings::quantum::log::log;
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::log::Level;

/// Stands for the host. Has no state: all of it lives outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host;

impl Host {
    pub fn execution(&self) -> String {
        context::execution()
    }

    pub fn step(&self) -> String {
        context::step()
    }

    pub fn attempt_number(&self) -> u32 {
        context::attempt()
    }

    pub fn idempotency_key(&self) -> String {
        context::idempotency_key()
    }

    pub fn deadline(&self) -> Option<u64> {
        context::deadline()
    }

    pub fn is_dry_run(&self) -> bool {
        context::dry_run()
    }

    pub fn cancelled(&self) -> bool {
        context::cancelled()
    }

    pub fn trace_parent(&self) -> Option<String> {
        context::trace_parent()
    }

    pub fn config_text(&self) -> String {
        context::config()
    }

    pub fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let level = match level {
            Level::Trace => log::Level::Trace,
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, message, fields);
    }

    pub fn report_progress(&self, percent: u8, message: &str) {
        log::progress(percent, message);
    }

    pub fn now_ms(&self) -> u64 {
        let now = wall_clock::now();
        now.seconds.saturating_mul(1_000).saturating_add(u64::from(now.nanoseconds / 1_000_000))
    }

    pub fn sleep_ms(&self, ms: u64) {
        monotonic_clock::subscribe_duration(nanos(Duration::from_millis(ms))).block();
    }
}

/// What WASI calls a duration.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
