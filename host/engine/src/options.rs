//! What the engine is given: bounds, and the rooms behind core's ports.

use std::sync::Arc;

use quantum_core::port::{ActionDirectory, RecordingStore, StepGate, StepRunner};
use quantum_store::{Archive, Store};

use crate::clock::Clock;
use crate::source::IntentSource;

/// Bounds of one host.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Attempts that run at the same time. More wait, fairly between tenants.
    pub attempts_max: usize,
    /// Attempts of one tenant that run at the same time.
    pub attempts_per_tenant_max: usize,
    /// Attempts that wait for their turn; over it new executions are refused with 503.
    pub backlog_max: usize,
    /// Milliseconds that running attempts get to end when the host stops; then they are dropped and run again after
    /// the next start.
    pub shutdown_grace_ms: u64,
    /// Milliseconds that an attempt gets to notice that its execution is being cancelled; then it is dropped.
    pub cancel_grace_ms: u64,
    /// Of this host, for rows and people. A process adds what makes it unique.
    pub name: String,
    /// Where other hosts and people reach it.
    pub url: Option<String>,
    /// Milliseconds without a heartbeat after which other nodes take over what this one runs. None: no other node uses the
    /// store, and whoever owned something before has died.
    pub lease_ms: Option<u64>,
    /// Milliseconds after which one looks by itself for what other nodes have announced.
    pub poll_ms: u64,
    /// Milliseconds within which another node has to take a command; then it is withdrawn.
    pub answer_ms: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            attempts_max: 256,
            attempts_per_tenant_max: 128,
            backlog_max: 100_000,
            shutdown_grace_ms: 10_000,
            cancel_grace_ms: 5_000,
            name: "local".to_owned(),
            url: None,
            lease_ms: None,
            poll_ms: 1_000,
            answer_ms: 5_000,
        }
    }
}

/// The rooms that the engine works with.
#[derive(Clone)]
pub struct Ports {
    pub store: Store,
    /// Where executions go that are removed, when their tenant keeps them.
    pub archive: Archive,
    pub runner: Arc<dyn StepRunner>,
    pub gate: Arc<dyn StepGate>,
    pub actions: Arc<dyn ActionDirectory>,
    /// Asked before a start that nobody requests at the time.
    pub intents: Arc<dyn IntentSource>,
    /// Where recordings of attempts go.
    pub recordings: Arc<dyn RecordingStore>,
    pub clock: Arc<dyn Clock>,
    /// Draws jitter, in 0..1.
    pub chance: fn() -> f64,
}
