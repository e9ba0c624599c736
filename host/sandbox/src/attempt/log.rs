//! What an attempt writes: log lines, progress, and the two standard streams, all capped, into one sink.

use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::port::{Attempt, LogEntry, LogLine, LogSink};
use serde_json::{Map, Value};

use crate::host::now;
use crate::limits::{LOG_BYTES_MAX, LOG_FIELDS_MAX, LOG_LINES_MAX, LOG_TEXT_BYTES_MAX};
use crate::recording::Recorder;
use crate::secret::Redactions;

/// Whose line it is.
pub(crate) struct Origin(pub Arc<Attempt>);

/// One of the guest's standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// The log of one attempt.
pub(crate) struct AttemptLog {
    /// None: nobody reads it (a describing build).
    target: Option<(Origin, Arc<dyn LogSink>)>,
    redactions: Arc<Redactions>,
    recorder: Option<Arc<Recorder>>,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    lines: u32,
    bytes: usize,
    full: bool,
    /// The begun lines of the two streams.
    out: Vec<u8>,
    err: Vec<u8>,
}

impl AttemptLog {
    pub fn new(target: Option<(Origin, Arc<dyn LogSink>)>, redactions: Arc<Redactions>) -> Self {
        Self { target, redactions, recorder: None, written: Mutex::default() }
    }

    /// Each line is taken down as well.
    pub fn recorded_by(self, recorder: Option<Arc<Recorder>>) -> Self {
        Self { recorder, ..self }
    }

    pub fn line(&self, level: &str, message: &str, fields: &[(String, String)]) {
        let mut bytes = message.len();
        let mut kept = Map::new();
        for (name, text) in fields.iter().take(LOG_FIELDS_MAX) {
            bytes += name.len().min(LOG_TEXT_BYTES_MAX) + text.len().min(LOG_TEXT_BYTES_MAX);
            kept.insert(self.cut(name), self.field(text));
        }
        let entry = LogEntry::StepLog { level: level.to_owned(), message: self.cut(message), fields: kept };
        self.write(bytes.min(LOG_TEXT_BYTES_MAX * (LOG_FIELDS_MAX + 1)), entry);
    }

    pub fn progress(&self, percent: u8, message: &str) {
        let entry = LogEntry::StepProgress { percent: percent.min(100), message: self.cut(message) };
        self.write(message.len().min(LOG_TEXT_BYTES_MAX), entry);
    }

    /// Bytes of a standard stream; each full line becomes a line of the log.
    pub fn stream(&self, stream: Stream, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = self.with(|written| written.continue_line(stream, part));
            if let Some(line) = line {
                self.stream_line(stream, &line);
            }
        }
    }

    /// Writes the lines that were begun and never ended.
    pub fn finish(&self) {
        for stream in [Stream::Out, Stream::Err] {
            let rest = self.with(|written| std::mem::take(written.partial(stream)));
            if !rest.is_empty() {
                self.stream_line(stream, &rest);
            }
        }
    }

    fn stream_line(&self, stream: Stream, line: &[u8]) {
        let level = if stream == Stream::Out { "info" } else { "warn" };
        let text = String::from_utf8_lossy(line);
        let whole = line.len() < LOG_TEXT_BYTES_MAX;
        let text = if whole { &text } else { self.redactions.without_cut_value(&text) };
        self.line(level, text.trim_end(), &[]);
    }

    /// Without secrets, and short enough.
    fn cut(&self, text: &str) -> String {
        self.redactions.text(text, LOG_TEXT_BYTES_MAX)
    }

    /// JSON text; what is none, or is too long, is kept as text.
    fn field(&self, text: &str) -> Value {
        let parsed = (text.len() <= LOG_TEXT_BYTES_MAX).then(|| serde_json::from_str(text).ok()).flatten();
        let mut left = LOG_TEXT_BYTES_MAX;
        parsed.map_or_else(|| Value::String(self.cut(text)), |value| self.redactions.value(value, &mut left))
    }

    fn write(&self, bytes: usize, entry: LogEntry) {
        let Some((origin, sink)) = &self.target else { return };
        let (kept, now_full) = self.with(|written| written.admit(bytes));
        if kept {
            self.recorder.iter().for_each(|recorder| recorder.line(&entry));
            sink.write(origin.line(entry));
        }
        if now_full {
            let message = format!(
                "more lines are dropped: an attempt keeps {LOG_LINES_MAX} lines and {LOG_BYTES_MAX} bytes"
            );
            sink.write(origin.line(LogEntry::StepLog {
                level: "warn".to_owned(),
                message,
                fields: Map::new(),
            }));
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Written) -> T) -> T {
        change(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Written {
    /// Whether the line is kept, and whether it is the first that is not.
    fn admit(&mut self, bytes: usize) -> (bool, bool) {
        if self.full {
            return (false, false);
        }
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.full = self.lines > LOG_LINES_MAX || self.bytes > LOG_BYTES_MAX;
        (!self.full, self.full)
    }

    fn partial(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }

    fn continue_line(&mut self, stream: Stream, part: &[u8]) -> Option<Vec<u8>> {
        let partial = self.partial(stream);
        let room = LOG_TEXT_BYTES_MAX.saturating_sub(partial.len());
        partial.extend(part.iter().take(room));
        part.ends_with(b"\n").then(|| std::mem::take(partial))
    }
}

impl Origin {
    fn line(&self, entry: LogEntry) -> LogLine {
        let Attempt { subject, number, .. } = &*self.0;
        LogLine {
            tenant: subject.tenant.clone(),
            execution: subject.execution,
            step: subject.step.clone(),
            attempt: *number,
            at: now(),
            entry,
        }
    }
}
