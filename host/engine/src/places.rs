//! Places under limits: how many executions may run beside each other. What is held back is queued, durably, and starts
//! when a place is free.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{ExecutionId, IntentUid, TenantId};
use quantum_core::intent::OnLimit;
use quantum_core::machine::Command;
use quantum_core::plan::Plan;
use quantum_core::port::Requester;
use quantum_store::{ExecutionRow, TenantScope};
use tokio::sync::OwnedMutexGuard;

use crate::engine::Shared;
use crate::error::{CommandError, Error, StartError};

/// Queued executions of a tenant that are looked at when a place gets free. Those behind them wait until some of these
/// have started.
const LOOKED_AT: u32 = 1_000;

/// Milliseconds after which a start over the backlog's limit is worth another try.
const BACKLOG_RETRY_MS: u64 = 5_000;

/// Who is deciding about places, and which tenants have somebody waiting.
#[derive(Default)]
pub(crate) struct Places {
    deciding: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
    waiting: Mutex<HashSet<TenantId>>,
}

impl Places {
    /// INVARIANT: between counting and the durable start nobody else of the tenant counts.
    async fn decide(&self, tenant: &TenantId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
            deciding.retain(|known, turn| known == tenant || Arc::strong_count(turn) > 1);
            deciding.entry(tenant.clone()).or_default().clone()
        };
        turn.lock_owned().await
    }

    pub fn note_waiting(&self, tenant: &TenantId) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
    }

    pub fn tenants_waiting(&self) -> Vec<TenantId> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn note_empty(&self, tenant: &TenantId) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }

    fn is_waiting(&self, tenant: &TenantId) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }
}

/// What a start takes a place of.
pub(crate) struct PlaceRequest<'a> {
    pub scope: &'a TenantScope,
    pub plan: &'a Plan,
    pub key: Option<&'a str>,
    pub requested_by: &'a Requester,
}

/// The answer to a start, and the turn to decide that is given up once the answer is durable.
pub(crate) struct Granted {
    /// None: it may start.
    pub held_by: Option<String>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Granted {
    pub const fn is_limited(&self) -> bool {
        self.turn.is_some()
    }
}

/// Why a start has to wait.
struct Held {
    reason: String,
    /// Whoever is cancelled for it.
    replaces: Vec<ExecutionId>,
}

impl Shared {
    /// Err: over a limit that refuses.
    pub(crate) async fn ask_for_place(
        self: &Arc<Self>,
        place: &PlaceRequest<'_>,
    ) -> Result<Granted, StartError> {
        let tenant = place.scope.tenant();
        if place.key.is_none() && self.tenant_limit(tenant).is_none() {
            return Ok(Granted { held_by: None, turn: None });
        }
        let turn = self.places.decide(tenant).await;
        let held = self.held(place).await?;
        let Some(Held { reason, replaces }) = held else {
            return Ok(Granted { held_by: None, turn: Some(turn) });
        };
        let concurrency = place.plan.document.concurrency.as_ref();
        if place.key.is_some() && concurrency.is_some_and(|limit| limit.on_limit == OnLimit::Reject) {
            return Err(StartError::Limit { reason });
        }
        self.check_backlog(place.scope).await?;
        for replaced in replaces {
            self.cancel_child(place.scope, place.requested_by, replaced);
        }
        self.places.note_waiting(tenant);
        Ok(Granted { held_by: Some(reason), turn: Some(turn) })
    }

    async fn held(&self, place: &PlaceRequest<'_>) -> Result<Option<Held>, Error> {
        let executions = self.ports.store.executions(place.scope);
        if let Some(limit) = self.tenant_limit(place.scope.tenant()) {
            let running = executions.count_running().await?;
            if running >= u64::from(limit) {
                let reason = format!("{running} executions of the tenant run, {limit} may");
                return Ok(Some(Held { reason, replaces: Vec::new() }));
            }
        }
        let (Some(concurrency), Some(key)) = (&place.plan.document.concurrency, place.key) else {
            return Ok(None);
        };
        let intent: IntentUid = place.plan.document.intent.uid;
        let running = executions.running_with_key(intent, key, concurrency.limit).await?;
        let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
        if count < concurrency.limit {
            return Ok(None);
        }
        let shown = if key.is_empty() { String::new() } else { format!(" with the key \"{key}\"") };
        let reason = format!("{count} executions of the intent{shown} run, {} may", concurrency.limit);
        let replaces = match concurrency.on_limit {
            OnLimit::Replace => running.into_iter().take(1).collect(),
            OnLimit::Queue | OnLimit::Reject => Vec::new(),
        };
        Ok(Some(Held { reason, replaces }))
    }

    /// A place may be free: whoever waits longest, or is most urgent, starts.
    pub(crate) fn place_freed(self: &Arc<Self>, scope: &TenantScope) {
        if !self.places.is_waiting(scope.tenant()) {
            return;
        }
        let (shared, scope) = (self.clone(), scope.clone());
        self.attempts.spawn(async move {
            while let Err(error) = shared.promote(&scope).await {
                tracing::warn!(tenant = %scope.tenant(), error = %error, "queued executions could not start yet");
                if shared.pause_before_retry().await.is_err() {
                    return;
                }
            }
        });
    }

    async fn promote(self: &Arc<Self>, scope: &TenantScope) -> Result<(), CommandError> {
        let _turn = self.places.decide(scope.tenant()).await;
        let queued = self.ports.store.executions(scope).queued(LOOKED_AT).await.map_err(Error::from)?;
        let mut left = queued.len();
        for row in queued {
            left -= usize::from(self.promote_one(scope, &row).await?);
        }
        if left == 0 {
            self.places.note_empty(scope.tenant());
        }
        Ok(())
    }

    /// Whether it does not wait any more.
    async fn promote_one(
        self: &Arc<Self>,
        scope: &TenantScope,
        row: &ExecutionRow,
    ) -> Result<bool, CommandError> {
        let Some(entry) = self.entry(scope, &row.id).await? else { return Ok(true) };
        let (plan, origin) = {
            let mut state = entry.state.lock().await;
            if state.is_none() {
                *state = Some(self.reload(&entry).await?);
            }
            let Some(owned) = state.as_ref() else { return Ok(false) };
            (owned.execution.plan.clone(), owned.execution.origin.clone())
        };
        let key = row.concurrency_key.as_deref();
        let place = PlaceRequest { scope, plan: &plan, key, requested_by: &row.requested_by };
        if self.held(&place).await?.is_some() {
            return Ok(false);
        }
        let command = match self.reuse(scope, &plan, origin.as_ref()).await? {
            Some(reuse) => Command::Start { reuse },
            None => {
                let reason = Some("the execution that it replays is gone".to_owned());
                Command::Cancel { requested_by: row.requested_by.clone(), reason }
            }
        };
        match self.commit(&entry, command).await {
            Ok(()) | Err(CommandError::Refused(_) | CommandError::NotFound) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn tenant_limit(&self, tenant: &TenantId) -> Option<u32> {
        self.ports.store.platform().settings_of(tenant).limits.executions_running_max
    }

    async fn check_backlog(&self, scope: &TenantScope) -> Result<(), StartError> {
        let max = self.ports.store.platform().settings_of(scope.tenant()).limits.executions_queued_max;
        let queued = self.ports.store.executions(scope).count_queued().await.map_err(Error::from)?;
        if queued < u64::from(max) {
            return Ok(());
        }
        let reason = format!("{queued} executions of the tenant wait for their turn, {max} may");
        Err(StartError::Backlog { reason, retry_after_ms: BACKLOG_RETRY_MS })
    }
}
