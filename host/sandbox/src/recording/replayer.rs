//! Tells a guest again what a recording holds. The first call that is another one than the recorded stops it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quantum_core::port::AttemptReport;
use quantum_core::recording::{
    Answer, Asked, Call, Difference, Ended, HttpAnswer, HttpFailure, Recording, Sent, Told, Why, compare,
};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::attempt::CpuMeter;

/// How long a guest may do nothing while something is never answered, until it is seen to wait for that.
const IDLE_TIME: Duration = Duration::from_millis(500);
/// The kind of an outcome, as recordings have it, of an attempt that waited until its time was over.
const TIMEOUT: &str = "timeout";

/// How a replay ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Replayed {
    Ended(AttemptReport),
    /// The component did something else than what was recorded.
    Stopped(Difference),
}

/// The trap of a guest that left its recording.
#[derive(Debug, thiserror::Error)]
#[error("the replay left its recording")]
pub(crate) struct Left;

pub(crate) struct Replayer {
    recording: Recording,
    told: Mutex<ToldSoFar>,
    stopped: Notify,
    unanswered: Notify,
}

#[derive(Default)]
struct ToldSoFar {
    calls: usize,
    wall: usize,
    monotonic: usize,
    random: usize,
    cancel_asked: u64,
    difference: Option<Difference>,
    /// A request that the recording has no answer to.
    waits_for: Option<String>,
}

/// What a request is answered with.
pub(super) struct Exchange {
    pub asked: Asked,
    pub sent: Sent,
    /// None: the recorded attempt ended before.
    pub answer: Option<Result<HttpAnswer, HttpFailure>>,
}

impl Replayer {
    pub fn new(recording: Recording) -> Self {
        Self { recording, told: Mutex::default(), stopped: Notify::new(), unanswered: Notify::new() }
    }

    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    pub fn answer<T: DeserializeOwned>(&self, asked: &Asked) -> Result<Told<T>, Left> {
        let call = self.next(asked)?;
        let told = call.answer.as_ref().and_then(Answer::read);
        told.ok_or_else(|| self.stop(self.unanswered_why(asked)))
    }

    pub(super) fn exchange(&self, asked: &Asked) -> Result<Exchange, Left> {
        let call = self.next(asked)?;
        let answer = call.answer.as_ref().and_then(Answer::read_http);
        if answer.is_none() && self.recording.cut.is_some() {
            return Err(self.stop(self.unanswered_why(asked)));
        }
        Ok(Exchange { asked: asked.clone(), sent: call.sent.clone().unwrap_or_default(), answer })
    }

    /// Never returns: the recorded attempt ended before.
    pub(super) async fn never(&self, asked: &Asked) {
        self.told().waits_for = Some(asked.shown());
        self.unanswered.notify_one();
        std::future::pending::<()>().await;
    }

    /// The guest reads on, and the recording does not.
    pub(super) fn unread(&self, asked: &Asked) {
        let shown = asked.shown();
        let why = match self.recording.cut {
            Some(cut) => Why::Cut { got: format!("more of {shown}"), why: cut.why },
            None => Why::Unread { asked: shown },
        };
        self.stop(why);
    }

    /// None: the recorded attempt took no reading. Behind its last one time stands still.
    pub fn wall(&self) -> Option<(u64, u32)> {
        let mut told = self.told();
        told.wall += 1;
        let readings = &self.recording.clocks.wall;
        readings.get(told.wall - 1).or(readings.last()).copied()
    }

    pub fn monotonic(&self) -> Option<u64> {
        let mut told = self.told();
        told.monotonic += 1;
        let readings = &self.recording.clocks.monotonic;
        readings.get(told.monotonic - 1).or(readings.last()).copied()
    }

    pub fn random(&self, bytes: u64) -> Result<Vec<u8>, Left> {
        let got = usize::try_from(bytes).unwrap_or(usize::MAX);
        let drawn = {
            let mut told = self.told();
            told.random += 1;
            self.recording.random.get(told.random - 1)
        };
        match drawn {
            Some(drawn) if drawn.0.len() == got => Ok(drawn.0.clone()),
            drawn => Err(self.stop(Why::Random { expected: drawn.map(|drawn| drawn.0.len()), got })),
        }
    }

    pub fn cancelled(&self) -> bool {
        let mut told = self.told();
        told.cancel_asked += 1;
        self.recording.cancelled_at.is_some_and(|at| told.cancel_asked >= at)
    }

    /// The first one counts.
    pub(super) fn stop(&self, why: Why) -> Left {
        let mut told = self.told();
        let after = told.calls;
        told.difference.get_or_insert(Difference { after, why });
        self.stopped.notify_one();
        Left
    }

    /// Returns when the guest has left its recording, or waits for what never comes.
    pub async fn has_stopped(&self, meter: &CpuMeter) {
        tokio::select! {
            () = self.stopped.notified() => {}
            () = self.waits_in_vain(meter) => {}
        }
    }

    /// None: it went as recorded, as far as it went.
    pub fn difference(&self) -> Option<Difference> {
        self.told().difference.clone()
    }

    /// It waits for what the recorded attempt waited for until its time was over.
    pub fn is_timeout(&self) -> bool {
        let waits = matches!(self.difference(), Some(Difference { why: Why::Unanswered { .. }, .. }));
        waits && matches!(&self.recording.ended, Ended::Failed { kind, .. } if kind == TIMEOUT)
    }

    /// Whether the guest was cancelled while the recorded attempt ran.
    pub fn was_cancelled(&self) -> bool {
        self.recording.cancelled_at.is_some()
    }

    async fn waits_in_vain(&self, meter: &CpuMeter) {
        self.unanswered.notified().await;
        loop {
            let spent = meter.spent();
            tokio::time::sleep(IDLE_TIME).await;
            if meter.spent() == spent {
                let asked = self.told().waits_for.clone().unwrap_or_default();
                self.stop(Why::Unanswered { asked });
                return;
            }
        }
    }

    fn next(&self, asked: &Asked) -> Result<&Call, Left> {
        let at = self.told().calls;
        let Some(call) = self.recording.calls.get(at) else {
            let got = asked.shown();
            let why = self.recording.cut.map_or_else(
                || Why::Beyond { got: got.clone() },
                |cut| Why::Cut { got: got.clone(), why: cut.why },
            );
            return Err(self.stop(why));
        };
        if let Some(why) = compare(&call.asked, asked) {
            return Err(self.stop(why));
        }
        self.told().calls += 1;
        Ok(call)
    }

    fn unanswered_why(&self, asked: &Asked) -> Why {
        let shown = asked.shown();
        match self.recording.cut {
            Some(cut) => Why::Cut { got: format!("the answer to {shown}"), why: cut.why },
            None => Why::Unanswered { asked: shown },
        }
    }

    fn told(&self) -> MutexGuard<'_, ToldSoFar> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
