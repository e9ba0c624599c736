//! One attempt from its turn in the queue to its settlement.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use metrics::{counter, histogram};
use quantum_core::machine::{Command, Execution, Phase, Slot};
use quantum_core::plan::{PinnedAction, PlannedStep};
use quantum_core::port::{
    Attempt, AttemptOutcome, AttemptReport, Bill, Failure, FailureKind, RecordingKey, RecordingSlot,
    RecordingSlotKey, RunningBill, StepSubject, Unwritten,
};
use quantum_core::problem::Problem;
use quantum_core::tenant::Recorded;

use crate::admit::{subject, uninstalled};
use crate::commit::RETRY_AFTER_MS;
use crate::dispatch::Class;
use crate::engine::Shared;
use crate::entry::{Entry, RunningAttempt};
use crate::error::CommandError;

/// Milliseconds beyond a step's timeout after which the engine ends an attempt whose runner did not.
const RUNNER_GRACE_MS: u64 = 5_000;

/// An admitted attempt that waits for its turn.
pub(crate) struct Job {
    entry: Arc<Entry>,
    slot: Slot,
    signals: RunningAttempt,
    /// Err: it cannot run at all.
    attempt: Result<Box<Attempt>, Box<Failure>>,
}

impl Shared {
    /// Puts an attempt in line. It is tracked from here on, and durable since the commit before.
    pub(crate) fn enqueue(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        execution: &Execution,
        slot: Slot,
        number: u32,
        parameters: String,
    ) {
        let signals = entry.track(slot, number);
        let attempt = self.build_attempt(execution, slot, parameters, &signals);
        let job = Job { entry: entry.clone(), slot, signals, attempt };
        let plugin = match &job.attempt {
            Ok(attempt) => attempt.subject.action.plugin.clone(),
            Err(_) => String::new(),
        };
        let class = Class { priority: entry.priority, plugin };
        let settings = self.ports.store.platform().settings_of(entry.tenant());
        self.lock_queue().push(entry.tenant(), class, settings, job);
        self.pump();
    }

    fn build_attempt(
        &self,
        execution: &Execution,
        slot: Slot,
        parameters: String,
        signals: &RunningAttempt,
    ) -> Result<Box<Attempt>, Box<Failure>> {
        let fault =
            |problem| Box::new(Failure { kind: FailureKind::Unavailable, problem, retry_after_ms: None });
        let planned =
            execution.plan.step(slot.step).and_then(|planned| Some((planned, call(planned, slot)?)));
        let (planned, (action, timeout_ms)) =
            planned.ok_or_else(|| fault(Problem::new("host-fault", "the plan has no such step")))?;
        let entry = self.pinned(execution, action).ok_or_else(|| fault(uninstalled(action)))?;
        Ok(Box::new(Attempt {
            subject: subject(execution, &planned.id, entry),
            intent: execution.plan.document.intent.name.clone(),
            number: signals.attempt,
            idempotency_key: slot.idempotency_key(execution.id, &planned.id),
            parameters,
            timeout_ms,
            memory_bytes_max: self.memory_bytes_max(execution),
            deadline: self.ports.clock.now().plus_millis(timeout_ms),
            trace_parent: None,
            cancel: signals.flag.clone(),
            bill: RunningBill::default(),
            recording: RecordingSlot::default(),
        }))
    }

    fn memory_bytes_max(&self, execution: &Execution) -> Option<u64> {
        self.ports.store.platform().settings_of(&execution.tenant).limits.attempt_memory_bytes_max
    }

    /// Starts what may start.
    pub(crate) fn pump(self: &Arc<Self>) {
        loop {
            if self.closing.is_cancelled() {
                return;
            }
            let Some((class, job)) = self.lock_queue().next() else { return };
            let shared = self.clone();
            self.attempts.spawn(async move { shared.run(class, job).await });
        }
    }

    async fn run(self: Arc<Self>, class: Class, job: Job) {
        let Job { entry, slot, signals, attempt } = job;
        let number = signals.attempt;
        let report = tokio::select! {
            biased;
            // Its result could not be recorded.
            () = std::future::ready(()), if entry.has_moved() => None,
            report = self.recorded(&entry, slot, attempt, &signals) => Some(report),
            () = self.killed.cancelled() => None,
        };
        if let Some(report) = report {
            count(&report);
            self.settle(&entry, slot, number, report).await;
        }
        entry.untrack(slot, number);
        self.lock_queue().done(entry.tenant(), &class);
        self.pump();
    }

    /// Its recording is kept before its end is settled, when its tenant allows it and somebody wishes for it.
    async fn recorded(
        &self,
        entry: &Entry,
        slot: Slot,
        mut attempt: Result<Box<Attempt>, Box<Failure>>,
        signals: &RunningAttempt,
    ) -> AttemptReport {
        let settings = self.ports.store.platform().settings_of(entry.tenant());
        let recorded = entry.recorded.allowed(settings.recordings);
        let Ok(about) = &mut attempt else { return self.execute(attempt, signals).await };
        if recorded == Recorded::None {
            return self.execute(attempt, signals).await;
        }
        about.recording = RecordingSlot::wished();
        let (left, step) = (about.recording.clone(), about.subject.step.clone());
        let report = self.execute(attempt, signals).await;
        if let Some(unwritten) = left.take().filter(|_| recorded.keeps(&report.outcome)) {
            let slot = RecordingSlotKey {
                step,
                element: slot.element,
                compensates: slot.phase == Phase::Compensate,
            };
            let key = RecordingKey { execution: entry.id, slot, attempt: signals.attempt };
            self.keep_recording(entry, key, unwritten).await;
        }
        report
    }

    /// An attempt does not fail because its recording cannot be kept.
    async fn keep_recording(&self, entry: &Entry, key: RecordingKey, unwritten: Unwritten) {
        let Some(recording) = unwritten() else { return };
        if let Err(error) = self.ports.recordings.keep(entry.tenant(), key, recording).await {
            tracing::warn!(execution = %entry.id, %error, "the recording of an attempt is not kept");
        }
    }

    async fn execute(
        &self,
        attempt: Result<Box<Attempt>, Box<Failure>>,
        signals: &RunningAttempt,
    ) -> AttemptReport {
        let mut attempt = match attempt {
            Ok(attempt) => attempt,
            Err(failure) => return failed(*failure, Bill::default()),
        };
        let subject = attempt.subject.clone();
        let grace = Duration::from_millis(attempt.timeout_ms.saturating_add(RUNNER_GRACE_MS));
        attempt.deadline = self.ports.clock.now().plus_millis(attempt.timeout_ms);
        let bill = attempt.bill.clone();
        let run = AssertUnwindSafe(self.ports.runner.run(*attempt)).catch_unwind();
        // The branches are gone before what follows them: a runner that is dropped has written its bill.
        let report = tokio::select! {
            report = run => report.unwrap_or_else(|_| {
                failed(fault("the host panicked while it ran this step"), bill.read())
            }),
            () = self.interrupted(signals) => AttemptReport { outcome: AttemptOutcome::Cancelled, bill: bill.read() },
            () = out_of_time(grace, &bill) => failed(overdue(), bill.read()),
        };
        check_result(report, &subject)
    }

    /// Returns when the attempt was interrupted and had its time to notice.
    async fn interrupted(&self, signals: &RunningAttempt) {
        signals.token.cancelled().await;
        tokio::time::sleep(Duration::from_millis(self.options.cancel_grace_ms)).await;
    }

    /// Writes the result, however long the store is away: what was done is not to be done again.
    async fn settle(self: &Arc<Self>, entry: &Arc<Entry>, slot: Slot, attempt: u32, report: AttemptReport) {
        loop {
            let chance = (self.ports.chance)();
            let command = Command::Settle { slot, attempt, report: report.clone(), chance };
            match self.commit(entry, command).await {
                Ok(()) => return,
                Err(CommandError::Unavailable { .. } | CommandError::Failed(_)) => {}
                Err(CommandError::Refused(refusal)) => {
                    tracing::debug!(execution = %entry.id, %refusal, "a result came too late");
                    return;
                }
                Err(CommandError::Moved) => {
                    tracing::info!(execution = %entry.id, "a result is not recorded: another node runs the execution by now");
                    return;
                }
                Err(CommandError::NotFound | CommandError::Limit { .. }) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(RETRY_AFTER_MS)) => {}
                () = self.killed.cancelled() => return,
            }
        }
    }
}

/// The action of a slot, and the milliseconds of one attempt.
fn call(planned: &PlannedStep, slot: Slot) -> Option<(&PinnedAction, u64)> {
    match slot.phase {
        Phase::Run => Some((planned.action.component()?, planned.timeout_ms)),
        Phase::Compensate => planned.compensate.as_ref().map(|undo| (&undo.action, undo.timeout_ms)),
    }
}

/// Returns when the runner had its time and did not end; what it waited for room is not part of it.
async fn out_of_time(grace: Duration, bill: &RunningBill) {
    loop {
        tokio::time::sleep(grace).await;
        if !bill.take_waited() {
            return;
        }
    }
}

fn failed(failure: Failure, bill: Bill) -> AttemptReport {
    AttemptReport { outcome: AttemptOutcome::Failed(failure), bill }
}

fn fault(message: &str) -> Failure {
    Failure {
        kind: FailureKind::HostFault,
        problem: Problem::new("host-fault", message),
        retry_after_ms: None,
    }
}

fn overdue() -> Failure {
    let problem =
        Problem::new("timeout", "the attempt did not end in its time, and the runner did not end it");
    Failure { kind: FailureKind::Timeout, problem, retry_after_ms: None }
}

/// Holds a result against the action's result schema.
fn check_result(report: AttemptReport, subject: &StepSubject) -> AttemptReport {
    let AttemptOutcome::Completed(result) = &report.outcome else { return report };
    let findings = subject.action.result.findings(result, "", "result");
    let Some(first) = findings.first() else { return report };
    let place = if first.pointer.is_empty() { "the top" } else { &first.pointer };
    let action = &subject.action.manifest.name;
    let message = format!(
        "the result does not fit the schema of the action \"{action}\": at {place}: {}",
        first.message
    );
    let details = serde_json::to_value(&findings).ok();
    let problem = Problem { details, ..Problem::new("invalid-output", message) };
    let failure = Failure { kind: FailureKind::InvalidOutput, problem, retry_after_ms: None };
    AttemptReport { outcome: AttemptOutcome::Failed(failure), bill: report.bill }
}

fn count(report: &AttemptReport) {
    let outcome = match &report.outcome {
        AttemptOutcome::Completed(_) => "completed",
        AttemptOutcome::Failed(_) => "failed",
        AttemptOutcome::Cancelled => "cancelled",
    };
    counter!("quantum_attempts_total", "outcome" => outcome).increment(1);
    let Bill { cpu_us, wall_us, memory_bytes_peak, host_calls, sent_bytes, received_bytes } = report.bill;
    counter!("quantum_attempt_cpu_microseconds_total").increment(cpu_us);
    counter!("quantum_attempt_host_calls_total").increment(host_calls);
    counter!("quantum_attempt_sent_bytes_total").increment(sent_bytes);
    counter!("quantum_attempt_received_bytes_total").increment(received_bytes);
    #[expect(clippy::cast_precision_loss, reason = "a metric")]
    let (seconds, memory_bytes) = (wall_us as f64 / 1e6, memory_bytes_peak as f64);
    histogram!("quantum_attempt_seconds").record(seconds);
    histogram!("quantum_attempt_memory_bytes_peak").record(memory_bytes);
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_runner_that_does_not_end_is_out_of_time_and_one_that_waits_for_room_is_not() {
        let (bill, began) = (RunningBill::default(), Instant::now());
        out_of_time(GRACE, &bill).await;
        assert_eq!(began.elapsed(), GRACE);

        bill.begin_waiting();
        assert!(timeout(100 * GRACE, out_of_time(GRACE, &bill)).await.is_err());

        bill.end_waiting();
        let began = Instant::now();
        out_of_time(GRACE, &bill).await;
        assert_eq!(began.elapsed(), 2 * GRACE, "it has all of its time after it waited");
    }
}
