//! The memory limit of one attempt: all memories and tables of all its modules together.

use wasmtime::ResourceLimiter;

/// Bytes of a table's element.
const ELEMENT_BYTES: usize = size_of::<usize>();
/// Core instances, memories and tables of one attempt; the pool has the same bounds.
const INSTANCES_MAX: usize = 256;
const MEMORIES_MAX: usize = 16;
const TABLES_MAX: usize = 64;

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
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
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
