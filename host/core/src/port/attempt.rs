//! One attempt: what a runner is given, and what it reports.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BoxFuture, StepSubject};
use crate::id::IntentName;
use crate::problem::Problem;
use crate::time::Timestamp;

/// Runs attempts. Dropping the future ends the attempt.
pub trait StepRunner: Send + Sync + 'static {
    fn run(&self, attempt: Attempt) -> BoxFuture<'static, AttemptReport>;
}

/// All that a runner needs for one try of one step.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub subject: StepSubject,
    pub intent: IntentName,
    /// From 1.
    pub number: u32,
    /// The same for all attempts of the step.
    pub idempotency_key: String,
    /// JSON text that fits the action's parameter schema.
    pub parameters: String,
    /// Milliseconds for this attempt; over it the outcome is `Timeout`.
    pub timeout_ms: u64,
    /// Bytes of memory, where neither the grant nor the runner's own bound is smaller. None: the tenant sets no bound.
    pub memory_bytes_max: Option<u64>,
    /// When the timeout falls.
    pub deadline: Timestamp,
    pub trace_parent: Option<String>,
    pub cancel: CancelFlag,
    pub bill: RunningBill,
    pub recording: RecordingSlot,
}

/// Raised once when the execution is being cancelled. The guest polls it through `context.cancelled`.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the runner writes beside its report. It writes the bill at the latest when its future is dropped, so that an
/// attempt that is ended from outside has one too.
#[derive(Debug, Clone, Default)]
pub struct RunningBill(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    bill: Bill,
    waits: bool,
    waited: bool,
}

impl RunningBill {
    pub fn write(&self, bill: Bill) {
        self.with(|written| written.bill = bill);
    }

    pub fn read(&self) -> Bill {
        self.with(|written| written.bill)
    }

    /// The runner waits for room; the attempt's time stands still.
    pub fn begin_waiting(&self) {
        self.with(|written| (written.waits, written.waited) = (true, true));
    }

    pub fn end_waiting(&self) {
        self.with(|written| written.waits = false);
    }

    /// Whether it waited since this was asked last.
    pub fn take_waited(&self) -> bool {
        self.with(|written| std::mem::replace(&mut written.waited, written.waits))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Written) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where a runner leaves what it recorded of an attempt, when somebody wishes for it: at the latest when its future is
/// dropped.
#[derive(Clone, Default)]
pub struct RecordingSlot(Option<Arc<Mutex<Option<Unwritten>>>>);

/// Writes the recording, as JSON text, once it is known that it is wanted. None: nothing of it can be kept.
pub type Unwritten = Box<dyn FnOnce() -> Option<Vec<u8>> + Send>;

impl RecordingSlot {
    pub fn wished() -> Self {
        Self(Some(Arc::default()))
    }

    pub const fn is_wished(&self) -> bool {
        self.0.is_some()
    }

    /// The first one stays.
    pub fn leave(&self, recording: Unwritten) {
        if let Some(slot) = &self.0 {
            slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(recording);
        }
    }

    pub fn take(&self) -> Option<Unwritten> {
        self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for RecordingSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordingSlot").field(&self.is_wished()).finish()
    }
}

/// How an attempt ended, and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptReport {
    pub outcome: AttemptOutcome,
    pub bill: Bill,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AttemptOutcome {
    /// The result, parsed; not yet held against the action's result schema.
    Completed(Value),
    Failed(Failure),
    /// The guest saw `cancelled` and stopped.
    Cancelled,
}

/// A failed attempt, told apart in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    pub problem: Problem,
    /// Milliseconds to wait at least, as the other side asked.
    pub retry_after_ms: Option<u64>,
}

/// Why an attempt failed; decides whether another is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The plugin says that trying again is of no use.
    Permanent,
    /// The plugin says that trying again may help.
    Retryable,
    Trap,
    Timeout,
    CpuLimit,
    MemoryLimit,
    /// The result is larger than allowed.
    OutputLimit,
    /// The result is no JSON, or does not fit the action's result schema.
    InvalidOutput,
    /// The policies refused the start.
    Denied,
    /// The plugin is not installed any more, or does not fit this host.
    Unavailable,
    /// The host's own fault; not the plugin's.
    HostFault,
    /// The host died while it ran.
    Lost,
}

/// What one attempt used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bill {
    /// Microseconds on a processor: the guest's, and those of the host's work for its requests and secrets.
    pub cpu_us: u64,
    /// Microseconds from start to end, without the time in which it waited for room.
    pub wall_us: u64,
    /// Largest sum of all memories and tables.
    pub memory_bytes_peak: u64,
    /// Calls of functions that the host provides, allowed or denied, and of the drops of their handles.
    pub host_calls: u64,
    /// Bytes of outgoing requests, and of what was written as values and artifacts.
    pub sent_bytes: u64,
    /// Bytes of answers to them, and of what was read of values and artifacts.
    pub received_bytes: u64,
}
