//! `wasi:clocks` and `wasi:random`: always linked, so that one linked component serves all tenants, and answered only
//! when the capability is granted.

use quantum_core::vocabulary::Capability;
use wasmtime::component::Resource;
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::WasiRandomView;

use crate::attempt::Guest;

impl wall_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.require(Capability::Clock)?;
        let tape = self.tape.clone();
        let read = || wall_clock::Host::now(&mut self.clocks()).map(|now| (now.seconds, now.nanoseconds));
        let (seconds, nanoseconds) = tape.wall(read)?;
        Ok(wall_clock::Datetime { seconds, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.require(Capability::Clock)?;
        wall_clock::Host::resolution(&mut self.clocks())
    }
}

impl monotonic_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.require(Capability::Clock)?;
        let tape = self.tape.clone();
        tape.monotonic(|| monotonic_clock::Host::now(&mut self.clocks()))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.require(Capability::Clock)?;
        monotonic_clock::Host::resolution(&mut self.clocks())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.require(Capability::Clock)?;
        // A replay waits for nothing.
        if self.tape.replayer().is_some() {
            self.clocks().subscribe_duration(0)
        } else {
            self.clocks().subscribe_instant(when)
        }
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.require(Capability::Clock)?;
        let duration = if self.tape.replayer().is_some() { 0 } else { duration };
        self.clocks().subscribe_duration(duration)
    }
}

impl random::Host for Guest {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.require(Capability::Random)?;
        let tape = self.tape.clone();
        tape.random(len, || self.random().get_random_bytes(len))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.require(Capability::Random)?;
        let tape = self.tape.clone();
        tape.random(8, || self.random().get_random_u64().map(|drawn| drawn.to_le_bytes().to_vec()))
            .map(number)
    }
}

impl insecure::Host for Guest {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.require(Capability::Random)?;
        let tape = self.tape.clone();
        tape.random(len, || self.random().get_insecure_random_bytes(len))
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.require(Capability::Random)?;
        let tape = self.tape.clone();
        tape.random(8, || self.random().get_insecure_random_u64().map(|drawn| drawn.to_le_bytes().to_vec()))
            .map(number)
    }
}

/// The one that needs no capability: standard libraries seed their tables with it.
impl insecure_seed::Host for Guest {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let seed = self.seed();
        Ok((seed as u64, (seed >> 64) as u64))
    }
}

/// Of eight bytes.
fn number(drawn: Vec<u8>) -> u64 {
    drawn.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
