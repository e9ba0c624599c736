//! Bytes that were written for artifacts which are not finished: they take place on the disk, and no row counts them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quantum_core::id::TenantId;

use super::Effects;
use crate::Error;

/// By tenant. INVARIANT: the sum of the tenant's `Reserved`; tenants without any are not in it.
#[derive(Default)]
pub(super) struct Unfinished {
    bytes: Mutex<HashMap<TenantId, u64>>,
}

/// Bytes of one writer, given back when it is dropped.
pub(super) struct Reserved {
    effects: Effects,
    tenant: TenantId,
    bytes: u64,
}

impl Reserved {
    pub const fn new(effects: Effects, tenant: TenantId) -> Self {
        Self { effects, tenant, bytes: 0 }
    }

    /// Before they are written. Err: `TooManyUnfinished`.
    pub fn grow(&mut self, more: u64) -> Result<(), Error> {
        let max = self.effects.options().unfinished_bytes_max;
        let mut all = self.lock();
        let used = all.get(&self.tenant).copied().unwrap_or_default();
        if used.saturating_add(more) > max {
            return Err(Error::TooManyUnfinished { used, max });
        }
        all.insert(self.tenant.clone(), used + more);
        drop(all);
        self.bytes += more;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, u64>> {
        self.effects.shared.unfinished.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = self.lock();
        if let Some(used) = all.get_mut(&self.tenant) {
            *used = used.saturating_sub(self.bytes);
            if *used == 0 {
                all.remove(&self.tenant);
            }
        }
    }
}
