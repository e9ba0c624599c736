//! Instances that belong to no attempt: a first start at the install, and the manifest of a describing build. They have
//! an attempt's limits, no grants, no log, and nobody to ask.

use std::sync::Arc;
use std::time::Duration;

use quantum_core::port::AttemptOutcome;
use quantum_core::problem::Problem;
use tokio::time::timeout;
use wasmtime::Store;

use super::cpu::{CpuExceeded, CpuMeter};
use super::guest::{CapabilityMissing, Guest};
use super::log::AttemptLog;
use super::run::{memory_bytes, store};
use crate::component::Linked;
use crate::host::DescriberPre;
use crate::limits::{DESCRIBE_MS_MAX, HOST_CALL_BYTES_MAX, START_CPU_MS_MAX, START_MS_MAX};
use crate::outcome::{Ending, Evidence, judge};
use crate::places::Weight;
use crate::recording::Tape;
use crate::sandbox::Shared;
use crate::secret::Redactions;

/// Makes an instance as an attempt would, and lets go of it. What a plugin does at its start with a capability that it
/// will be granted is not known here: it counts as started.
pub(crate) async fn start(
    shared: &Shared,
    component: &Linked,
    memory_asked: Option<u64>,
) -> Result<(), Problem> {
    let _place = shared.places.take(component.weight).await;
    let cpu_ms_max = shared.options.cpu_ms_max.min(START_CPU_MS_MAX);
    let meter = CpuMeter::new(cpu_ms_max);
    let mut store = bare(shared, &meter, memory_bytes(shared, memory_asked));
    let instantiate = meter.measure(component.runner.instantiate_async(&mut store));
    let ending = tokio::select! {
        biased;
        started = timeout(Duration::from_millis(START_MS_MAX), instantiate) => match started {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if error.is::<CapabilityMissing>() => return Ok(()),
            Ok(Err(error)) => Ending::Trapped(error),
            Err(_) => return Err(too_slow()),
        },
        () = meter.exceeded() => Ending::Trapped(CpuExceeded.into()),
    };
    match judge(ending, &evidence(store.data(), cpu_ms_max), &Redactions::default()) {
        AttemptOutcome::Failed(failure) => Err(failure.problem),
        AttemptOutcome::Completed(_) | AttemptOutcome::Cancelled => Ok(()),
    }
}

/// Asks a describing build for its manifest.
pub(crate) async fn describe(
    shared: &Shared,
    component: &DescriberPre<Guest>,
    weight: Weight,
) -> wasmtime::Result<String> {
    let _place = shared.places.take(weight).await;
    let meter = CpuMeter::new(shared.options.cpu_ms_max);
    let mut store = bare(shared, &meter, shared.options.memory_bytes_default);
    let asked = meter.measure(async {
        let instance = component.instantiate_async(&mut store).await?;
        instance.quantum_plugin_describe().call_manifest(&mut store).await
    });
    timeout(Duration::from_millis(DESCRIBE_MS_MAX), asked).await.map_err(wasmtime::Error::from)?
}

fn bare(shared: &Shared, meter: &Arc<CpuMeter>, memory_bytes_max: u64) -> Store<Guest> {
    let log = AttemptLog::new(None, Arc::<Redactions>::default());
    let tape = (meter.clone(), Tape::Off);
    let guest = Guest::new(None, log, None, tape, memory_bytes_max);
    store(&shared.engine, guest)
}

/// In words of its own: there is no step yet that could be given more time.
fn too_slow() -> Problem {
    let text = format!("it did not end within {START_MS_MAX} ms; what takes time belongs into the action");
    Problem::new("timeout", text)
}

fn evidence(guest: &Guest, cpu_ms_max: u64) -> Evidence {
    Evidence {
        memory_refused: guest.limiter.refused(),
        memory_bytes_max: guest.limiter.bytes_max(),
        cpu_ms_max,
        timeout_ms: START_MS_MAX,
        host_call_bytes_max: HOST_CALL_BYTES_MAX,
        panic: guest.panic.clone(),
        denial: None,
        hint: None,
        cancel_raised: false,
    }
}
