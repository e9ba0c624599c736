//! What the context calls on a scripted host; the same names as in a component.

use super::Host;
use super::record::LogLine;
use crate::log::Level;

impl Host {
    pub(crate) fn execution(&self) -> String {
        "00000000-0000-7000-8000-000000000000".to_owned()
    }

    pub(crate) fn step(&self) -> String {
        "step".to_owned()
    }

    pub(crate) fn attempt_number(&self) -> u32 {
        self.look().attempt
    }

    pub(crate) fn idempotency_key(&self) -> String {
        "idempotency-key".to_owned()
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.look().deadline_ms
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.look().dry_run
    }

    pub(crate) fn cancelled(&self) -> bool {
        let state = self.look();
        state.cancelled_at_ms.is_some_and(|at_ms| at_ms <= state.now_ms)
    }

    pub(crate) fn trace_parent(&self) -> Option<String> {
        None
    }

    pub(crate) fn config_text(&self) -> String {
        self.look().config.to_string()
    }

    pub(crate) fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let line = LogLine { level, message: message.to_owned(), fields: fields.to_vec() };
        self.change().logs.push(line);
    }

    pub(crate) fn report_progress(&self, percent: u8, message: &str) {
        self.change().progress.push((percent, message.to_owned()));
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.look().now_ms
    }

    pub(crate) fn sleep_ms(&self, ms: u64) {
        self.change().now_ms += ms;
    }
}
