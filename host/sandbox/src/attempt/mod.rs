//! One attempt: its store, its limits, its log and its bill.

mod bare;
mod cpu;
mod guest;
mod log;
mod memory;
mod run;

pub(crate) use bare::{describe, start};
pub(crate) use cpu::{CpuExceeded, CpuMeter, Payer};
pub(crate) use guest::{CapabilityMissing, Facts, Guest, Panic};
pub(crate) use log::{AttemptLog, Stream};
pub(crate) use run::{replay, run};
