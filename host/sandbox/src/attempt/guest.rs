//! What the host knows of one running guest: the data of its store.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use quantum_core::port::Attempt;
use quantum_core::recording::Inputs;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::Capability;
use serde_json::Value;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::cpu::CpuMeter;
use super::log::{AttemptLog, Stream};
use super::memory::MemoryLimiter;
use crate::egress::AttemptEgress;
use crate::host::{Effects, HttpHooks, Moved, Sources, StdStream};
use crate::limits::{HEADER_BYTES_MAX, RANDOM_BYTES_MAX, RESOURCES_MAX};
use crate::recording::Tape;

/// What `quantum:context` tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub execution: String,
    pub step: String,
    pub attempt: u32,
    pub idempotency_key: String,
    pub deadline: Option<Timestamp>,
    pub dry_run: bool,
    pub trace_parent: Option<String>,
    /// JSON text.
    pub config: String,
}

impl Facts {
    pub fn of(attempt: &Attempt) -> Self {
        let subject = &attempt.subject;
        Self {
            execution: subject.execution.to_string(),
            step: subject.step.to_string(),
            attempt: attempt.number,
            idempotency_key: attempt.idempotency_key.clone(),
            deadline: Some(attempt.deadline),
            dry_run: subject.dry_run,
            trace_parent: attempt.trace_parent.clone(),
            config: Value::Object(subject.action.settings.of(subject.environment).config.clone()).to_string(),
        }
    }

    /// As they were when the attempt was recorded.
    pub fn of_recording(inputs: &Inputs) -> Self {
        Self {
            execution: inputs.execution.clone(),
            step: inputs.step.clone(),
            attempt: inputs.attempt,
            idempotency_key: inputs.idempotency_key.clone(),
            deadline: inputs.deadline.map(Timestamp::from_millis),
            dry_run: inputs.dry_run,
            trace_parent: inputs.trace_parent.clone(),
            config: inputs.config.clone(),
        }
    }

    fn put_off(mut self, waited: Duration) -> Self {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.deadline = self.deadline.map(|deadline| deadline.plus_millis(waited_ms));
        self
    }
}

/// The same for the same attempt, so that it can be run again with the same inputs.
fn seed(execution: impl fmt::Display, step: &str, attempt: u32) -> u128 {
    let hash = digest(&SHA256, format!("{execution}/{step}/{attempt}").as_bytes());
    hash.as_ref().iter().take(16).fold(0, |seed, byte| (seed << 8) | u128::from(*byte))
}

/// What the guest said of its panic, just before the trap.
#[derive(Debug, Clone)]
pub(crate) struct Panic {
    pub message: String,
    pub place: String,
}

/// The trap of a guest that used what it was not granted.
#[derive(Debug, thiserror::Error)]
#[error("the capability \"{0}\" is not granted")]
pub(crate) struct CapabilityMissing(pub Capability);

/// Data of one store.
pub(crate) struct Guest {
    /// None: it belongs to no attempt (a describing build).
    sources: Option<Sources>,
    /// Put into words when the guest asks for one of them.
    facts: OnceCell<Facts>,
    /// How long the attempt waited for its place: its time ends so much later.
    waited: Duration,
    pub log: Arc<AttemptLog>,
    pub limiter: MemoryLimiter,
    pub panic: Option<Panic>,
    pub host_calls: u64,
    pub meter: Arc<CpuMeter>,
    pub tape: Tape,
    /// Made of the sources when it is used first.
    effects: Option<Effects>,
    table: ResourceTable,
    /// Made when it is used first: most guests need nothing of it but their seed.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    hooks: HttpHooks,
}

impl Guest {
    pub fn new(
        sources: Option<Sources>,
        log: AttemptLog,
        egress: Option<Arc<AttemptEgress>>,
        (meter, tape): (Arc<CpuMeter>, Tape),
        memory_bytes_max: u64,
    ) -> Self {
        let facts = tape.replayer().map(|replayer| Facts::of_recording(&replayer.recording().inputs));
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADER_BYTES_MAX);
        Self {
            wasi: None,
            sources,
            facts: facts.map(OnceCell::from).unwrap_or_default(),
            waited: Duration::ZERO,
            log: Arc::new(log),
            limiter: MemoryLimiter::new(memory_bytes_max),
            panic: None,
            host_calls: 0,
            effects: None,
            table,
            http,
            hooks: HttpHooks::new(egress, meter.clone(), tape.clone()),
            meter,
            tape,
        }
    }

    /// Each call of the guest into the host begins here, whatever comes of it: the linker says so, and nothing else
    /// counts.
    pub fn called(&mut self) -> &mut Self {
        self.host_calls += 1;
        self
    }

    pub fn facts(&self) -> &Facts {
        let of = |attempt: &Attempt| Facts::of(attempt).put_off(self.waited);
        self.facts.get_or_init(|| self.attempt().map(of).unwrap_or_default())
    }

    /// Of its hash maps. Most guests ask for nothing else of what they are told, which is then not put into words.
    pub fn seed(&self) -> u128 {
        match self.attempt().filter(|_| self.facts.get().is_none()) {
            Some(Attempt { subject, number, .. }) => seed(subject.execution, subject.step.as_str(), *number),
            None => {
                let Facts { execution, step, attempt, .. } = self.facts();
                seed(execution, step, *attempt)
            }
        }
    }

    /// It began later than was thought; what a recording tells stays as it was.
    pub fn put_off(&mut self, waited: Duration) {
        self.waited = waited;
    }

    fn attempt(&self) -> Option<&Attempt> {
        self.sources.as_ref().map(|sources| &*sources.attempt)
    }

    pub fn is_cancelled(&self) -> bool {
        self.attempt().is_some_and(|attempt| attempt.cancel.is_raised())
    }

    pub fn require(&self, capability: Capability) -> Result<(), CapabilityMissing> {
        let grant = self.attempt().map(|attempt| &attempt.subject.action.grant);
        if grant.is_some_and(|grant| grant.capabilities.contains(&capability)) {
            return Ok(());
        }
        Err(CapabilityMissing(capability))
    }

    /// Stored data, for a guest that has the capability.
    pub fn effects(&mut self, capability: Capability) -> Result<&mut Effects, CapabilityMissing> {
        self.require(capability)?;
        if self.effects.is_none() {
            self.effects = self.sources.as_ref().map(Effects::new);
        }
        self.effects.as_mut().ok_or(CapabilityMissing(capability))
    }

    /// The same, with the tape that it goes by.
    pub fn taped_effects(
        &mut self,
        capability: Capability,
    ) -> Result<(&mut Effects, Tape), CapabilityMissing> {
        let tape = self.tape.clone();
        Ok((self.effects(capability)?, tape))
    }

    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub fn moved(&self) -> Moved {
        self.effects.as_ref().map(|effects| effects.moved).unwrap_or_default()
    }
}

/// The standard library's baseline: no environment, no arguments, no files, no sockets, streams into the log.
fn baseline(log: &Arc<AttemptLog>) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.stdout(StdStream::new(log.clone(), Stream::Out))
        .stderr(StdStream::new(log.clone(), Stream::Err))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    wasi.build()
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| baseline(&self.log));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}
