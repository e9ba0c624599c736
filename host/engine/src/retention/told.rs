//! What the host's operator is told of a round: once, when it is over, however many tenants had the same trouble.

use metrics::counter;
use quantum_core::id::TenantId;

use crate::error::Error;

/// Why executions of a tenant stay although they are over their time.
#[derive(Debug)]
pub(super) enum Stop {
    Archive(Error),
    Other(Error),
}

#[derive(Debug, Default)]
pub(super) struct Told {
    removed: u64,
    not_archived: Option<Trouble>,
    not_removed: Option<Trouble>,
}

/// The first tenant of those that had it.
#[derive(Debug)]
struct Trouble {
    tenant: TenantId,
    error: Error,
    tenants: usize,
}

impl Told {
    pub fn removed(&mut self, executions: u64) {
        counter!("quantum_executions_purged_total").increment(executions);
        self.removed += executions;
    }

    pub fn stopped(&mut self, tenant: &TenantId, stop: Stop) {
        let (trouble, error) = match stop {
            Stop::Archive(error) => (&mut self.not_archived, error),
            Stop::Other(error) => (&mut self.not_removed, error),
        };
        let first = trouble.get_or_insert_with(|| Trouble { tenant: tenant.clone(), error, tenants: 0 });
        first.tenants += 1;
    }

    pub fn tell(&self) {
        if self.removed > 0 {
            tracing::info!(executions = self.removed, "removed what was over its time");
        }
        if let Some(Trouble { tenant, error, tenants }) = &self.not_archived {
            let error: &(dyn std::error::Error + 'static) = error;
            tracing::warn!(%tenant, tenants, error, "executions over their time cannot be archived, so they stay; make room or give the host the right to write its folder \"archive\", it tries again within an hour");
        }
        if let Some(Trouble { tenant, error, tenants }) = &self.not_removed {
            let error: &(dyn std::error::Error + 'static) = error;
            tracing::warn!(%tenant, tenants, error, "executions over their time could not be removed; this is tried again within an hour");
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}
