//! `quantum:context/context`: what the running attempt may know about itself.

use super::bindings::quantum::context::context;
use crate::attempt::Guest;

impl context::Host for Guest {
    fn execution(&mut self) -> String {
        self.facts().execution.clone()
    }

    fn step(&mut self) -> String {
        self.facts().step.clone()
    }

    fn attempt(&mut self) -> u32 {
        self.facts().attempt
    }

    fn idempotency_key(&mut self) -> String {
        self.facts().idempotency_key.clone()
    }

    fn deadline(&mut self) -> Option<u64> {
        self.facts().deadline.and_then(|deadline| u64::try_from(deadline.as_millis()).ok())
    }

    fn dry_run(&mut self) -> bool {
        self.facts().dry_run
    }

    fn trace_parent(&mut self) -> Option<String> {
        self.facts().trace_parent.clone()
    }

    fn cancelled(&mut self) -> bool {
        self.tape.cancelled(|| self.is_cancelled())
    }

    fn config(&mut self) -> String {
        self.facts().config.clone()
    }
}
