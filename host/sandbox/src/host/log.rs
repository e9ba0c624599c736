//! `quantum:log/log`: lines and progress of the step, and the last words of a panic.

use super::bindings::quantum::log::log;
use crate::attempt::{Guest, Panic};

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) {
        let level = match level {
            log::Level::Trace => "trace",
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.log.line(level, &message, &fields);
    }

    fn progress(&mut self, percent: u8, message: String) {
        self.log.progress(percent, &message);
    }

    fn panicked(&mut self, message: String, place: String) {
        self.panic = Some(Panic { message, place });
    }
}
