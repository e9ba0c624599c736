//! Runs one attempt: a store, an instance, one call, and the bill.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quantum_core::port::{Attempt, AttemptOutcome, AttemptReport, Bill};
use wasmtime::{Engine, Store, UpdateDeadline};

use super::cpu::{CpuExceeded, CpuMeter};
use super::guest::{Facts, Guest};
use super::log::{AttemptLog, Origin};
use crate::component::LoadError;
use crate::egress::AttemptEgress;
use crate::host::{DescriberPre, Effects, PluginFailure};
use crate::outcome::{Ending, Evidence, judge};
use crate::sandbox::Shared;
use crate::secret::{Redactions, Vault};

/// Bytes that one call may copy from the guest to the host. Over it the call traps.
const HOST_CALL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Milliseconds that a describing build may take.
const DESCRIBE_MS_MAX: u64 = 30_000;

pub(crate) async fn run(shared: Arc<Shared>, attempt: Attempt) -> AttemptReport {
    // The semaphore lives as long as `shared` and is never closed.
    let _place = shared.places.acquire().await;
    let started = Instant::now();
    let meter = Arc::new(CpuMeter::default());
    let vault = vault(&shared, &attempt);
    let egress = Arc::new(AttemptEgress::new(shared.egress.clone(), &attempt, vault.clone()));
    let guest = guest(&shared, &attempt, &vault, &egress);
    let mut store = store(&shared.engine, guest, meter.clone(), shared.options.cpu_ms_max);
    let call = meter.measure(call(&shared, &mut store, &attempt));
    let ending = match tokio::time::timeout(Duration::from_millis(attempt.timeout_ms), call).await {
        Ok(ending) => ending,
        Err(_) => Ending::TimedOut,
    };
    let guest = store.data();
    guest.log.finish();
    let bill = bill(guest, &egress, &meter, started);
    let outcome = judge(ending, &evidence(&shared, &attempt, guest, &egress), vault.redactions());
    note(&attempt, &outcome);
    AttemptReport { outcome, bill }
}

async fn call(shared: &Shared, store: &mut Store<Guest>, attempt: &Attempt) -> Ending {
    let component = match shared.components.load(&attempt.subject.action.component).await {
        Ok(component) => component,
        Err(LoadError::Unavailable(reason)) => return Ending::Unavailable(reason),
        Err(LoadError::Host(reason)) => return Ending::HostFault(reason),
    };
    match called(&component, store, attempt).await {
        Ok(returned) => Ending::Returned(returned),
        Err(error) => Ending::Trapped(error),
    }
}

async fn called(
    component: &crate::host::RunnerPre<Guest>,
    store: &mut Store<Guest>,
    attempt: &Attempt,
) -> wasmtime::Result<Result<String, PluginFailure>> {
    let instance = component.instantiate_async(&mut *store).await?;
    let action = &attempt.subject.action.manifest.name;
    instance.quantum_plugin_actions().call_run(store, action, &attempt.parameters).await
}

fn vault(shared: &Shared, attempt: &Attempt) -> Arc<Vault> {
    let (gate, secrets) = (shared.ports.gate.clone(), shared.ports.secrets.clone());
    Arc::new(Vault::new(attempt, gate, secrets))
}

fn guest(shared: &Shared, attempt: &Attempt, vault: &Arc<Vault>, egress: &Arc<AttemptEgress>) -> Guest {
    let target = Some((Origin::of(attempt), shared.ports.logs.clone()));
    let log = AttemptLog::new(target, vault.redactions().clone());
    let effects = Effects::new(attempt, &shared.ports, vault.clone());
    let asked = attempt.subject.action.grant.memory_bytes_max.unwrap_or(shared.options.memory_bytes_default);
    let memory_bytes_max = asked.min(shared.options.memory_bytes_ceiling);
    Guest::new(Facts::of(attempt), log, Some(effects), Some(egress.clone()), memory_bytes_max)
}

fn store(engine: &Engine, guest: Guest, meter: Arc<CpuMeter>, cpu_ms_max: u64) -> Store<Guest> {
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_epoch_deadline(1);
    let budget = Duration::from_millis(cpu_ms_max);
    store.epoch_deadline_callback(move |_| {
        if meter.spent_now() > budget {
            return Err(CpuExceeded.into());
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn bill(guest: &Guest, egress: &AttemptEgress, meter: &CpuMeter, started: Instant) -> Bill {
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    Bill {
        cpu_us: micros(meter.spent()),
        wall_us: micros(started.elapsed()),
        memory_bytes_peak: guest.limiter.bytes_peak(),
        host_calls: guest.host_calls,
        sent_bytes: egress.traffic().sent_bytes() + guest.moved().stored_bytes,
        received_bytes: egress.traffic().received_bytes() + guest.moved().loaded_bytes,
    }
}

fn evidence(shared: &Shared, attempt: &Attempt, guest: &Guest, egress: &AttemptEgress) -> Evidence {
    Evidence {
        memory_refused: guest.limiter.refused(),
        memory_bytes_max: guest.limiter.bytes_max(),
        cpu_ms_max: shared.options.cpu_ms_max,
        timeout_ms: attempt.timeout_ms,
        host_call_bytes_max: HOST_CALL_BYTES_MAX,
        panic: guest.panic.clone(),
        denial: egress.notes().last_denial(),
        hint: egress.notes().last_hint(),
        cancel_raised: attempt.cancel.is_raised(),
    }
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

/// Asks a describing build for its manifest. It has no grants, no log and nobody to ask.
pub(crate) async fn describe(shared: &Shared, component: &DescriberPre<Guest>) -> wasmtime::Result<String> {
    let _place = shared.places.acquire().await;
    let meter = Arc::new(CpuMeter::default());
    let log = AttemptLog::new(None, Arc::<Redactions>::default());
    let guest = Guest::new(Facts::default(), log, None, None, shared.options.memory_bytes_default);
    let mut store = store(&shared.engine, guest, meter.clone(), shared.options.cpu_ms_max);
    let asked = meter.measure(async {
        let instance = component.instantiate_async(&mut store).await?;
        instance.quantum_plugin_describe().call_manifest(&mut store).await
    });
    tokio::time::timeout(Duration::from_millis(DESCRIBE_MS_MAX), asked)
        .await
        .map_err(wasmtime::Error::from)?
}
