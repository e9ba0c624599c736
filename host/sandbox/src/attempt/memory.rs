//! The memory limit of one attempt: all memories and tables of all its modules together.

use wasmtime::ResourceLimiter;

use crate::limits::{
    CORE_INSTANCES_PER_COMPONENT_MAX, MEMORIES_PER_COMPONENT_MAX, TABLE_ELEMENTS_MAX,
    TABLES_PER_COMPONENT_MAX,
};

/// Bytes of a table's element.
const ELEMENT_BYTES: usize = size_of::<usize>();

/// Sums what was given, and remembers whether anything was refused.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    bytes_max: u64,
    bytes: u64,
    bytes_peak: u64,
    /// What the last growth added; taken back when it fails after all.
    last: u64,
    refused: bool,
}

impl MemoryLimiter {
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, bytes: 0, bytes_peak: 0, last: 0, refused: false }
    }

    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    pub fn bytes_peak(&self) -> u64 {
        self.bytes_peak
    }

    /// Something was asked for that the limit did not allow.
    pub fn refused(&self) -> bool {
        self.refused
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let wanted = self.bytes.saturating_add(bytes);
        if wanted > self.bytes_max {
            self.refused = true;
            return false;
        }
        self.last = bytes;
        self.bytes = wanted;
        self.bytes_peak = self.bytes_peak.max(wanted);
        true
    }

    /// What was just given is not used after all.
    fn give_back(&mut self) -> bool {
        self.take_back();
        false
    }

    fn take_back(&mut self) {
        self.bytes = self.bytes.saturating_sub(self.last);
        self.last = 0;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.last = 0;
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.last = 0;
        let bytes = desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES);
        // The pool says the same; without one nobody else does.
        Ok(self.grow(bytes) && (desired <= TABLE_ELEMENTS_MAX || self.give_back()))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_PER_COMPONENT_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_PER_COMPONENT_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_PER_COMPONENT_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_count_together() {
        let mut limiter = MemoryLimiter::new(1_000);
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        assert!(limiter.table_growing(0, 50, None).unwrap());
        assert!(!limiter.memory_growing(0, 1, None).unwrap());
        assert!(limiter.refused());
        assert_eq!(limiter.bytes_peak(), 1_000);
    }

    #[test]
    fn a_growth_that_failed_is_not_counted() {
        let mut limiter = MemoryLimiter::new(1_000);
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        assert!(!limiter.refused());
    }
}
