//! One event of a log, as the API gives it.

use serde_json::Value;

/// What a result or an attempt belongs to: a step, an element of a fan-out, or what undoes a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    pub step: String,
    pub element: Option<u64>,
    /// What undoes it, and not its run.
    pub undoes: bool,
}

impl Slot {
    /// The run of a step as a whole.
    pub fn whole(step: &str) -> Self {
        Self { step: step.to_owned(), element: None, undoes: false }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Event<'a>(pub &'a Value);

impl<'a> Event<'a> {
    pub fn seq(self) -> Option<u64> {
        self.0.get("seq").and_then(Value::as_u64)
    }

    pub fn kind(self) -> &'a str {
        self.text("type")
    }

    pub fn step(self) -> &'a str {
        self.text("step")
    }

    pub fn attempt(self) -> u64 {
        self.0.get("attempt").and_then(Value::as_u64).unwrap_or(0)
    }

    pub fn slot(self) -> Slot {
        let undoes = self.text("phase") == "compensate"
            || matches!(self.kind(), "step_compensated" | "step_compensation_failed");
        let element = self.0.get("element").and_then(Value::as_u64);
        Slot { step: self.step().to_owned(), element, undoes }
    }

    /// Empty: it is not there.
    pub fn text(self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Milliseconds since 1970 by the clock of the host that wrote it.
    pub fn time_ms(self, name: &str) -> Option<i64> {
        self.text(name).parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    }

    pub fn error_code(self) -> &'a str {
        self.0.get("error").and_then(|error| error.get("code")).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn is_retryable(self) -> bool {
        self.0.pointer("/error/retryable").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Of the execution: nothing comes after it, but a restart.
    pub fn ends_execution(self) -> bool {
        matches!(self.kind(), "execution_completed" | "execution_failed" | "execution_cancelled")
    }

    /// Of a step: its one recorded result.
    pub fn is_result(self) -> bool {
        matches!(self.kind(), "step_completed" | "step_failed" | "step_skipped" | "step_cancelled")
    }
}
