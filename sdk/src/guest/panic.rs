//! A panic's message and place, told to the host just before the trap: a trap alone says neither.

use std::panic::PanicHookInfo;

use crate::bindings::quantum::log::log;

pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a text");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    log::panicked(message, &place);
}
