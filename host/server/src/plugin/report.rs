//! How calls are told: their log lines, their bills, and their failures as documents.

use quantum_core::port::{AttemptOutcome, Bill, Failure, LogEntry, LogLine};
use serde_json::{Value, json};

use super::inspect::thousands;

/// What `error.json` of a case is held against.
pub(super) fn failure_document(outcome: &AttemptOutcome) -> Value {
    match outcome {
        AttemptOutcome::Completed(value) => json!({ "completed": value }),
        AttemptOutcome::Cancelled => json!({ "code": "cancelled" }),
        AttemptOutcome::Failed(Failure { problem, retry_after_ms, .. }) => json!({
            "code": problem.code,
            "message": problem.message,
            "retryable": problem.retryable,
            "retry_after_ms": retry_after_ms,
            "details": problem.details,
        }),
    }
}

/// One line of a log, or one word of progress.
pub(super) fn logged(line: &LogLine) -> String {
    match &line.entry {
        LogEntry::StepLog { level, message, fields } if fields.is_empty() => format!("{level} {message}"),
        LogEntry::StepLog { level, message, fields } => {
            let fields = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            format!("{level} {message} {}", fields.join(" "))
        }
        LogEntry::StepProgress { percent, message } => format!("{percent} % {message}"),
    }
}

/// The whole bill on one line.
pub(super) fn billed(bill: &Bill) -> String {
    format!(
        "{} ms, {} ms cpu, {} KiB memory, {} host calls, {} bytes sent, {} bytes received",
        milliseconds(bill.wall_us),
        milliseconds(bill.cpu_us),
        bill.memory_bytes_peak / 1024,
        bill.host_calls,
        counted(bill.sent_bytes),
        counted(bill.received_bytes),
    )
}

fn counted(bytes: u64) -> String {
    thousands(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// With one digit behind the point.
pub(super) fn milliseconds(us: u64) -> String {
    format!("{}.{}", us / 1_000, us % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_told_on_one_line_with_its_units() {
        let bill = Bill {
            cpu_us: 1_499,
            wall_us: 20_000,
            memory_bytes_peak: 2 * 1024 * 1024,
            host_calls: 7,
            sent_bytes: 12_345,
            received_bytes: 0,
        };
        let told = "20.0 ms, 1.4 ms cpu, 2048 KiB memory, 7 host calls, 12 345 bytes sent, 0 bytes received";
        assert_eq!(billed(&bill), told);
    }
}
