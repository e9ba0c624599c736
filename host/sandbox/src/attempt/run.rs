//! Runs one attempt: a store, an instance, one call, and the bill.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quantum_core::port::{Attempt, AttemptOutcome, AttemptReport, Bill, RecordingSlot};
use quantum_core::recording::{Ended, RECORDING_FILE_BYTES_MAX, Recording};
use tokio::time::timeout;
use wasmtime::{Engine, Store, UpdateDeadline};

use super::cpu::{CpuExceeded, CpuMeter};
use super::guest::{Facts, Guest};
use super::log::{AttemptLog, Origin};
use crate::breaker::Key;
use crate::component::{Linked, LoadError};
use crate::egress::AttemptEgress;
use crate::host::{PluginFailure, Sources};
use crate::limits::HOST_CALL_BYTES_MAX;
use crate::outcome::{Ending, Evidence, InCall, judge, suspended};
use crate::places::{Place, Weight};
use crate::recording::{Recorder, Replayed, Replayer, Tape};
use crate::sandbox::Shared;
use crate::secret::Vault;

pub(crate) async fn run(shared: Arc<Shared>, attempt: Attempt) -> AttemptReport {
    let subject = &attempt.subject;
    let key = Key { tenant: subject.tenant.clone(), component: subject.action.component.clone() };
    let pass = match shared.breakers.admit(key) {
        Ok(pass) => pass,
        Err(left) => return AttemptReport { outcome: suspended(left), bill: Bill::default() },
    };
    let mut running = Running::new(shared, attempt);
    let ending = running.finish().await;
    let outcome = running.judge(ending);
    pass.ended(&outcome);
    AttemptReport { outcome, bill: running.bill() }
}

/// Makes an attempt again from its recording. Nothing of the outside is reached.
pub(crate) async fn replay(shared: Arc<Shared>, mut attempt: Attempt, recording: Recording) -> Replayed {
    attempt.number = recording.inputs.attempt;
    attempt.parameters = recording.inputs.parameters.clone();
    attempt.timeout_ms = recording.inputs.timeout_ms;
    attempt.recording = RecordingSlot::default();
    let replayer = Arc::new(Replayer::new(recording));
    if replayer.was_cancelled() {
        attempt.cancel.raise();
    }
    let mut running = Running::on(shared, attempt, Tape::Replay(replayer.clone()));
    let ending = running.finish().await;
    let ending = if replayer.is_timeout() { Ending::TimedOut } else { ending };
    let outcome = running.judge(ending);
    match replayer.difference().filter(|_| !replayer.is_timeout()) {
        Some(difference) => Replayed::Stopped(difference),
        None => Replayed::Ended(AttemptReport { outcome, bill: running.bill() }),
    }
}

/// An attempt and all that it uses. Dropped at whichever point, it leaves its bill.
struct Running {
    shared: Arc<Shared>,
    attempt: Arc<Attempt>,
    meter: Arc<CpuMeter>,
    vault: Arc<Vault>,
    egress: Arc<AttemptEgress>,
    store: Store<Guest>,
    /// Behind the store: a place is free when nothing of the instance is left.
    place: Option<Place>,
    /// Later by what it waited for its place.
    started: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.attempt.bill.write(self.bill());
        self.leave_recording(|| Ended::Interrupted);
    }
}

impl Running {
    fn new(shared: Arc<Shared>, attempt: Attempt) -> Self {
        let is_wished = attempt.recording.is_wished();
        let recorder = is_wished.then(|| Arc::new(Recorder::new(&attempt, &Facts::of(&attempt))));
        Self::on(shared, attempt, recorder.map_or(Tape::Off, Tape::Record))
    }

    fn on(shared: Arc<Shared>, attempt: Attempt, tape: Tape) -> Self {
        let attempt = Arc::new(attempt);
        let meter = CpuMeter::new(shared.options.cpu_ms_max);
        let vault = vault(&shared, &attempt);
        let egress = Arc::new(AttemptEgress::new(shared.egress.clone(), attempt.clone(), vault.clone()));
        let guest = guest(&shared, &attempt, (meter.clone(), tape), &vault, &egress);
        let store = store(&shared.engine, guest);
        Self { shared, attempt, meter, vault, egress, store, place: None, started: Instant::now() }
    }

    async fn finish(&mut self) -> Ending {
        let component = match self.component().await {
            Ok(component) => component,
            Err(ending) => return ending,
        };
        self.wait_for_place(component.weight).await;
        self.call(&component).await
    }

    /// `&mut`, since threads cannot share a store.
    async fn component(&mut self) -> Result<Linked, Ending> {
        let digest = &self.attempt.subject.action.component;
        // Nearly always.
        if let Some(component) = self.shared.components.loaded(digest) {
            return Ok(component);
        }
        match timeout(self.time_left(), self.shared.components.load(digest)).await {
            Ok(Ok(component)) => Ok(component),
            Ok(Err(LoadError::Unavailable(reason))) => Err(Ending::Unavailable(reason)),
            Ok(Err(LoadError::Host(reason))) => Err(Ending::HostFault(reason)),
            Err(_) => Err(Ending::TimedOut),
        }
    }

    /// Its time stands still until there is room; then it begins.
    async fn wait_for_place(&mut self, weight: Weight) {
        self.place = self.shared.places.take_now(weight);
        if self.place.is_some() {
            return;
        }
        let began = Instant::now();
        self.attempt.bill.begin_waiting();
        self.place = Some(self.shared.places.take(weight).await);
        self.attempt.bill.end_waiting();
        let waited = began.elapsed();
        self.started += waited;
        let guest = self.store.data_mut();
        guest.put_off(waited);
        if let Some(recorder) = guest.tape.recorder() {
            recorder.put_off(guest.facts().deadline);
        }
    }

    async fn call(&mut self, component: &Linked) -> Ending {
        let left = self.time_left();
        let meter = self.meter.clone();
        let tape = self.store.data().tape.clone();
        let call = meter.measure(called(component, &mut self.store, &self.attempt));
        tokio::select! {
            biased;
            called = timeout(left, call) => match called {
                Ok(Ok(returned)) => Ending::Returned(returned),
                Ok(Err(error)) => Ending::Trapped(error),
                Err(_) => Ending::TimedOut,
            },
            () = meter.exceeded() => Ending::Trapped(CpuExceeded.into()),
            () = tape.has_stopped(&meter) => Ending::TimedOut,
        }
    }

    fn time_left(&self) -> Duration {
        Duration::from_millis(self.attempt.timeout_ms).saturating_sub(self.started.elapsed())
    }

    fn judge(&self, ending: Ending) -> AttemptOutcome {
        self.store.data().log.finish();
        let outcome = judge(ending, &self.evidence(), self.vault.redactions());
        note(&self.attempt, &outcome);
        self.leave_recording(|| Ended::of(&outcome));
        outcome
    }

    /// The first one counts.
    fn leave_recording(&self, ended: impl FnOnce() -> Ended) {
        let Some(recorder) = self.store.data().tape.recorder().cloned() else { return };
        let (ended, redactions) = (ended(), self.vault.redactions().clone());
        self.attempt.recording.leave(Box::new(move || {
            let recording = recorder.recording(ended, &redactions)?;
            recording.written().ok().filter(|text| text.len() <= RECORDING_FILE_BYTES_MAX)
        }));
    }

    fn bill(&self) -> Bill {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let (guest, traffic) = (self.store.data(), self.egress.traffic());
        Bill {
            cpu_us: micros(self.meter.spent()),
            wall_us: micros(self.started.elapsed()),
            memory_bytes_peak: guest.limiter.bytes_peak(),
            host_calls: guest.host_calls,
            sent_bytes: traffic.sent_bytes() + guest.moved().stored_bytes,
            received_bytes: traffic.received_bytes() + guest.moved().loaded_bytes,
        }
    }

    fn evidence(&self) -> Evidence {
        let guest = self.store.data();
        Evidence {
            memory_refused: guest.limiter.refused(),
            memory_bytes_max: guest.limiter.bytes_max(),
            cpu_ms_max: self.shared.options.cpu_ms_max,
            timeout_ms: self.attempt.timeout_ms,
            host_call_bytes_max: HOST_CALL_BYTES_MAX,
            panic: guest.panic.clone(),
            denial: self.egress.notes().last_denial(),
            hint: self.egress.notes().last_hint(),
            cancel_raised: self.attempt.cancel.is_raised(),
        }
    }
}

async fn called(
    component: &Linked,
    store: &mut Store<Guest>,
    attempt: &Attempt,
) -> wasmtime::Result<Result<String, PluginFailure>> {
    let instance = component.runner.instantiate_async(&mut *store).await?;
    let action = &attempt.subject.action.manifest.name;
    let called = instance.quantum_plugin_actions().call_run(store, action, &attempt.parameters).await;
    called.map_err(|error| error.context(InCall))
}

fn vault(shared: &Shared, attempt: &Arc<Attempt>) -> Arc<Vault> {
    let (gate, secrets) = (shared.ports.gate.clone(), shared.ports.secrets.clone());
    Arc::new(Vault::new(attempt.clone(), gate, secrets))
}

fn guest(
    shared: &Arc<Shared>,
    attempt: &Arc<Attempt>,
    (meter, tape): (Arc<CpuMeter>, Tape),
    vault: &Arc<Vault>,
    egress: &Arc<AttemptEgress>,
) -> Guest {
    let target = Some((Origin(attempt.clone()), shared.ports.logs.clone()));
    let log = AttemptLog::new(target, vault.redactions().clone()).recorded_by(tape.recorder().cloned());
    let sources = Sources { attempt: attempt.clone(), shared: shared.clone(), vault: vault.clone() };
    let of_tenant = attempt.memory_bytes_max.unwrap_or(u64::MAX);
    let memory_bytes_max = memory_bytes(shared, attempt.subject.action.grant.memory_bytes_max).min(of_tenant);
    let egress = Some(egress.clone());
    Guest::new(Some(sources), log, egress, (meter, tape), memory_bytes_max)
}

/// What an attempt gets whose plugin asks for so much.
pub(super) fn memory_bytes(shared: &Shared, asked: Option<u64>) -> u64 {
    asked.unwrap_or(shared.options.memory_bytes_default).min(shared.options.memory_bytes_ceiling)
}

pub(super) fn store(engine: &Engine, guest: Guest) -> Store<Guest> {
    let meter = guest.meter.clone();
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if meter.is_exceeded_now() {
            return Err(CpuExceeded.into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn note(attempt: &Attempt, outcome: &AttemptOutcome) {
    let AttemptOutcome::Failed(failure) = outcome else { return };
    tracing::debug!(
        execution = %attempt.subject.execution,
        step = %attempt.subject.step,
        attempt = attempt.number,
        code = failure.problem.code,
        "{}",
        failure.problem.message
    );
}
