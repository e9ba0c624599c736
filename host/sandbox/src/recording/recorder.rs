//! Takes down what a guest is told, as long as there is room. A call has its place from the moment at which it was made;
//! its answer is written there when it comes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use quantum_core::port::{Attempt, LogEntry};
use quantum_core::recording::{
    Answer, Asked, Call, Clocks, Cut, CutWhy, Data, Ended, HttpAnswer, HttpBodyEnd, HttpFailure, Inputs,
    RECORDING_BYTES_MAX, RECORDING_FORMAT, RECORDING_LINES_BYTES_MAX, Recording, Sent,
};
use quantum_core::time::Timestamp;
use serde::Serialize;

use super::redact;
use crate::attempt::Facts;
use crate::secret::Redactions;

/// Bytes of a reading of a clock, about.
const READING_BYTES: usize = 24;
/// Bytes around what is kept of a call.
const CALL_BYTES: usize = 32;

pub(crate) struct Recorder {
    inputs: Inputs,
    taken: Mutex<Taken>,
}

/// Of a call; none: it is not kept.
pub(crate) type Place = Option<usize>;

#[derive(Default)]
struct Taken {
    calls: Vec<Taped>,
    clocks: Clocks,
    random: Vec<Data>,
    /// Questions whether it was cancelled.
    cancel_asked: u64,
    cancelled_at: Option<u64>,
    lines: Vec<LogEntry>,
    lines_bytes: usize,
    bytes: usize,
    cut: Option<Cut>,
    /// None: that of the inputs.
    deadline: Option<Timestamp>,
}

struct Taped {
    asked: Asked,
    sent: Option<Sent>,
    answer: TapedAnswer,
}

enum TapedAnswer {
    None,
    Whole(Answer),
    /// Its body comes in pieces.
    Http(HttpAnswer),
}

impl Recorder {
    pub fn new(attempt: &Attempt, facts: &Facts) -> Self {
        Self { inputs: inputs(attempt, facts), taken: Mutex::default() }
    }

    /// It began later than was thought.
    pub fn put_off(&self, deadline: Option<Timestamp>) {
        self.taken().deadline = deadline;
    }

    pub fn begin(&self, asked: Asked) -> Place {
        let mut taken = self.taken();
        taken.admit(written(&asked))?;
        let sent = matches!(asked, Asked::HttpRequest { .. }).then(Sent::default);
        taken.calls.push(Taped { asked, sent, answer: TapedAnswer::None });
        Some(taken.calls.len() - 1)
    }

    pub fn end(&self, place: Place, answer: impl FnOnce() -> Answer) {
        let Some(place) = place else { return };
        let answer = answer();
        self.at(place, written(&answer), |call| call.answer = TapedAnswer::Whole(answer));
    }

    /// Of a request's body.
    pub fn sent(&self, place: Place, bytes: &[u8], is_last: bool) {
        let Some(place) = place else { return };
        self.at(place, Data(bytes.to_vec()).bytes(), |call| {
            if let Some(sent) = &mut call.sent {
                sent.body.0.extend_from_slice(bytes);
                sent.whole |= is_last;
            }
        });
    }

    pub fn answered(&self, place: Place, answer: Result<HttpAnswer, HttpFailure>) {
        let Some(place) = place else { return };
        let bytes = answer.as_ref().map_or_else(written, written);
        self.at(place, bytes, |call| {
            if let Some(sent) = &mut call.sent {
                sent.before_answer = sent.body.0.len() as u64;
            }
            call.answer = match answer {
                Ok(head) => TapedAnswer::Http(head),
                Err(failure) => TapedAnswer::Whole(Answer::Http(failure)),
            };
        });
    }

    pub fn piece(&self, place: Place, bytes: &[u8]) {
        let piece = Data(bytes.to_vec());
        self.body(place, piece.bytes(), |answer| answer.pieces.push(piece));
    }

    /// The body of an answer ended, or failed.
    pub fn body_ended(&self, place: Place, end: HttpBodyEnd) {
        self.body(place, written(&end), |answer| answer.end = end);
    }

    pub fn body(&self, place: Place, bytes: usize, change: impl FnOnce(&mut HttpAnswer)) {
        let Some(place) = place else { return };
        self.at(place, bytes, |call| {
            if let TapedAnswer::Http(answer) = &mut call.answer {
                change(answer);
            }
        });
    }

    pub fn wall(&self, now: (u64, u32)) {
        let mut taken = self.taken();
        if taken.admit(READING_BYTES).is_some() {
            taken.clocks.wall.push(now);
        }
    }

    pub fn monotonic(&self, now: u64) {
        let mut taken = self.taken();
        if taken.admit(READING_BYTES).is_some() {
            taken.clocks.monotonic.push(now);
        }
    }

    pub fn random(&self, drawn: &[u8]) {
        let drawn = Data(drawn.to_vec());
        let mut taken = self.taken();
        if taken.admit(drawn.bytes()).is_some() {
            taken.random.push(drawn);
        }
    }

    pub fn cancelled(&self, is_raised: bool) -> bool {
        let mut taken = self.taken();
        taken.cancel_asked += 1;
        if is_raised && taken.cancelled_at.is_none() {
            taken.cancelled_at = Some(taken.cancel_asked);
        }
        is_raised
    }

    pub fn line(&self, entry: &LogEntry) {
        let mut taken = self.taken();
        taken.lines_bytes = taken.lines_bytes.saturating_add(written(entry));
        if taken.lines_bytes <= RECORDING_LINES_BYTES_MAX {
            taken.lines.push(entry.clone());
        }
    }

    /// What was taken down so far, without secrets. None: a part of a value is in what holds the recording together, and
    /// so nothing of it is kept.
    pub fn recording(&self, ended: Ended, redactions: &Redactions) -> Option<Recording> {
        let taken = std::mem::take(&mut *self.taken());
        let recording = Recording {
            recording: RECORDING_FORMAT,
            inputs: Inputs {
                deadline: taken.deadline.map(Timestamp::as_millis).or(self.inputs.deadline),
                ..self.inputs.clone()
            },
            calls: taken.calls.into_iter().map(Taped::call).collect(),
            clocks: taken.clocks,
            random: taken.random,
            cancelled_at: taken.cancelled_at,
            lines: taken.lines,
            cut: taken.cut,
            ended,
        };
        redact::recording(recording, redactions)
    }

    /// What there is no room for cuts the recording.
    fn at(&self, place: usize, bytes: usize, change: impl FnOnce(&mut Taped)) {
        let mut taken = self.taken();
        if taken.admit(bytes).is_some()
            && let Some(call) = taken.calls.get_mut(place)
        {
            change(call);
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// None: nothing more is kept.
    fn admit(&mut self, bytes: usize) -> Option<()> {
        if self.cut.is_some() {
            return None;
        }
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(CALL_BYTES);
        if self.bytes > RECORDING_BYTES_MAX {
            self.cut = Some(Cut { calls: self.calls.len() as u64, why: CutWhy::Bytes });
            return None;
        }
        Some(())
    }
}

impl Taped {
    fn call(self) -> Call {
        let answer = match self.answer {
            TapedAnswer::None => None,
            TapedAnswer::Whole(answer) => Some(answer),
            TapedAnswer::Http(answer) => Some(Answer::of(&Ok(answer))),
        };
        Call { asked: self.asked, sent: self.sent, answer }
    }
}

fn inputs(attempt: &Attempt, facts: &Facts) -> Inputs {
    let (subject, action) = (&attempt.subject, &attempt.subject.action);
    Inputs {
        plugin: action.plugin.clone(),
        version: action.version.clone(),
        component: action.component.to_string(),
        action: action.manifest.name.clone(),
        environment: subject.environment,
        execution: facts.execution.clone(),
        step: facts.step.clone(),
        attempt: facts.attempt,
        idempotency_key: facts.idempotency_key.clone(),
        deadline: facts.deadline.map(|deadline| deadline.as_millis()),
        timeout_ms: attempt.timeout_ms,
        dry_run: facts.dry_run,
        trace_parent: facts.trace_parent.clone(),
        config: facts.config.clone(),
        parameters: attempt.parameters.clone(),
    }
}

/// Bytes of it as JSON text.
fn written(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |text| text.len())
}
