//! What rooms need of others that they must not know: running an attempt, deciding a start or an effect, finding an
//! action, keeping what attempts store. The server connects them.

mod action;
mod gate;
mod attempt;
mod log;
mod component;
mod effect;
mod artifact;
mod key_value;
mod secret;
mod recording;

use std::future::Future;
use std::pin::Pin;

pub use action::{
    ActionDirectory, ActionEntry, Decision, Grant, PrincipalKind, Requester, Resolution, StepSubject, Verdict,
};
pub use artifact::{ArtifactInfo, ArtifactReader, ArtifactScope, ArtifactStore, ArtifactWriter};
pub use attempt::{
    Attempt, AttemptOutcome, AttemptReport, Bill, CancelFlag, Failure, FailureKind, RecordingSlot,
    RunningBill, StepRunner, Unwritten,
};
pub use component::ComponentSource;
pub use effect::EffectError;
pub use gate::{EffectGate, HttpCall, SecretCall, StepGate};
pub use key_value::{KeyValueEntry, KeyValueSpace, KeyValueStore};
pub use log::{LogEntry, LogLine, LogSink};
pub use recording::{RecordingKey, RecordingSlotKey, RecordingStore};
pub use secret::{OpenSecret, SecretSource};

/// A future that can be stored; ports are used as trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
