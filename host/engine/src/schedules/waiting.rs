//! Schedules of which a due time waits until earlier executions have ended.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quantum_core::id::{ExecutionId, ScheduleUid};
use quantum_store::TenantScope;
use tokio::task::JoinSet;

use crate::engine::Shared;

#[derive(Default)]
pub(super) struct Waiting {
    schedules: HashMap<ScheduleUid, TenantScope>,
    watched: HashSet<ExecutionId>,
    /// One task for each of them. Dropped with the loop.
    ends: JoinSet<ExecutionId>,
}

impl Waiting {
    pub fn add(
        &mut self,
        shared: &Arc<Shared>,
        uid: ScheduleUid,
        scope: TenantScope,
        running: Vec<ExecutionId>,
    ) {
        for id in running {
            if self.watched.insert(id) {
                self.ends.spawn(watch(shared.clone(), scope.clone(), id));
            }
        }
        self.schedules.insert(uid, scope);
    }

    pub fn forget(&mut self, uid: ScheduleUid) {
        self.schedules.remove(&uid);
    }

    /// All of them: each pass looks at them, because only looking tells whether one still waits.
    pub fn due(&self) -> Vec<(ScheduleUid, TenantScope)> {
        self.schedules.iter().map(|(uid, scope)| (*uid, scope.clone())).collect()
    }

    /// Never returns while nothing is watched.
    pub async fn one_ended(&mut self) {
        match self.ends.join_next().await {
            Some(Ok(id)) => drop(self.watched.remove(&id)),
            // A watch that broke off is taken up again when its schedule is looked at.
            Some(Err(_)) => self.watched.clear(),
            None => std::future::pending().await,
        }
    }
}

async fn watch(shared: Arc<Shared>, scope: TenantScope, id: ExecutionId) -> ExecutionId {
    if let Err(error) = shared.end_of(&scope, &id).await {
        tracing::warn!(execution = %id, error = %error, "an execution of a schedule could not be watched");
        shared.ports.clock.sleep_until(shared.ports.clock.now().plus_millis(super::RETRY_MS)).await;
    }
    id
}
