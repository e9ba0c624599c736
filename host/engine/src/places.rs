//! Places under limits: how many executions may run beside each other. What is held back is queued, durably, and starts
//! when a place is free.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::intent::OnLimit;
use quantum_core::machine::{Command, Origin};
use quantum_core::plan::Plan;
use quantum_core::port::Requester;
use quantum_store::{Announcement, ExecutionRow, TenantScope, Turn};

use crate::engine::Shared;
use crate::entry::Found;
use crate::error::{CommandError, Error, StartError};

/// Queued executions of a tenant that are looked at when a place gets free. Those behind them wait until some of these
/// have started.
const LOOKED_AT: u32 = 1_000;

/// Milliseconds after which a start over the backlog's limit is worth another try.
const BACKLOG_RETRY_MS: u64 = 5_000;

/// How often queued executions are looked at where nothing has ended.
const PROMOTE_EVERY: Duration = Duration::from_secs(10);

/// Which tenants have somebody waiting in this process.
#[derive(Default)]
pub(crate) struct Places {
    /// How often that was noted since nobody did.
    waiting: Mutex<HashMap<TenantId, u64>>,
}

impl Places {
    pub fn note_waiting(&self, tenant: &TenantId) {
        *self.lock().entry(tenant.clone()).or_default() += 1;
    }

    pub fn tenants_waiting(&self) -> Vec<TenantId> {
        self.lock().keys().cloned().collect()
    }

    /// `noted`: before it was looked. Somebody who has come since still waits.
    fn note_empty(&self, tenant: &TenantId, noted: Option<u64>) {
        let mut waiting = self.lock();
        if waiting.get(tenant).copied() == noted {
            waiting.remove(tenant);
        }
    }

    fn noted(&self, tenant: &TenantId) -> Option<u64> {
        self.lock().get(tenant).copied()
    }

    fn is_waiting(&self, tenant: &TenantId) -> bool {
        self.noted(tenant).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, u64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a start takes a place of.
pub(crate) struct PlaceRequest<'a> {
    pub scope: &'a TenantScope,
    pub plan: &'a Plan,
    pub key: Option<&'a str>,
    /// It is queued already.
    pub waits: bool,
    /// It runs in the place of its parent, which waits for it: the tenant's limit is not asked again.
    pub is_child: bool,
}

/// The answer to a start, and the turn to decide that is given up once the answer is durable.
pub(crate) struct Granted {
    /// None: it may start.
    pub held_by: Option<String>,
    turn: Option<Turn>,
}

impl Granted {
    pub const fn is_limited(&self) -> bool {
        self.turn.is_some()
    }
}

/// Why a start has to wait.
struct Held {
    reason: String,
    /// The limit is the intent's own.
    by_key: bool,
    /// Whoever is cancelled for it.
    replaces: Vec<ExecutionId>,
}

impl Shared {
    /// Err: over a limit that refuses.
    pub(crate) async fn ask_for_place(
        self: &Arc<Self>,
        asked: &PlaceRequest<'_>,
        requested_by: &Requester,
    ) -> Result<Granted, StartError> {
        let tenant = asked.scope.tenant();
        if asked.key.is_none() && self.tenant_limit(asked).is_none() {
            return Ok(Granted { held_by: None, turn: None });
        }
        let turn = Some(self.decide(asked.scope).await?);
        let held = match self.held(asked).await? {
            Some(held) => Some(held),
            None => self.behind_others(asked).await?,
        };
        let Some(Held { reason, by_key, replaces }) = held else {
            return Ok(Granted { held_by: None, turn });
        };
        let concurrency = asked.plan.document.concurrency.as_ref();
        if by_key && concurrency.is_some_and(|limit| limit.on_limit == OnLimit::Reject) {
            return Err(StartError::Limit { reason });
        }
        self.check_backlog(asked.scope).await?;
        self.replace(asked.scope, requested_by, replaces);
        self.places.note_waiting(tenant);
        Ok(Granted { held_by: Some(reason), turn })
    }

    /// For what has begun before and goes on. Err: `Limit`. The place is taken as long as what is given is kept, until
    /// the execution is durable.
    pub(crate) async fn take_place(&self, asked: &PlaceRequest<'_>) -> Result<Option<Turn>, CommandError> {
        if asked.key.is_none() && self.tenant_limit(asked).is_none() {
            return Ok(None);
        }
        let turn = self.decide(asked.scope).await?;
        match self.held(asked).await? {
            Some(Held { reason, .. }) => Err(CommandError::Limit { reason }),
            None => Ok(Some(turn)),
        }
    }

    /// INVARIANT: between counting and the durable start nobody else of the tenant counts, on whichever node.
    async fn decide(&self, scope: &TenantScope) -> Result<Turn, Error> {
        Ok(self.ports.store.executions(scope).turn().await?)
    }

    async fn held(&self, asked: &PlaceRequest<'_>) -> Result<Option<Held>, Error> {
        let executions = self.ports.store.executions(asked.scope);
        if let Some(limit) = self.tenant_limit(asked) {
            let running = executions.count_running().await?;
            if running >= u64::from(limit) {
                let reason = format!("{running} executions of the tenant run, {limit} may");
                return Ok(Some(Held { reason, by_key: false, replaces: Vec::new() }));
            }
        }
        let (Some(concurrency), Some(key)) = (&asked.plan.document.concurrency, asked.key) else {
            return Ok(None);
        };
        let intent = asked.plan.document.intent.uid;
        let running = executions.running_with_key(intent, key, concurrency.limit).await?;
        let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
        if count < concurrency.limit {
            return Ok(None);
        }
        let shown = if key.is_empty() { String::new() } else { format!(" with the key \"{key}\"") };
        let reason = format!("{count} executions of the intent{shown} run, {} may", concurrency.limit);
        let queued = match concurrency.on_limit {
            // Who waited before it was told to go when it started.
            OnLimit::Replace if asked.waits => Vec::new(),
            // The newest wins: whoever waits for the same place is not wanted any more either.
            OnLimit::Replace => executions.queued_with_key(intent, key, LOOKED_AT).await?,
            OnLimit::Queue | OnLimit::Reject => {
                return Ok(Some(Held { reason, by_key: true, replaces: Vec::new() }));
            }
        };
        let replaces = queued.into_iter().chain(running.into_iter().take(1)).collect();
        Ok(Some(Held { reason, by_key: true, replaces }))
    }

    fn replace(self: &Arc<Self>, scope: &TenantScope, by: &Requester, replaced: Vec<ExecutionId>) {
        for replaced in replaced {
            self.cancel_soon(scope, by, replaced, "a newer start took its place");
        }
    }

    /// A place is free, and somebody waits for it already: nobody overtakes.
    async fn behind_others(self: &Arc<Self>, asked: &PlaceRequest<'_>) -> Result<Option<Held>, Error> {
        // Who waits on other nodes is not known here.
        if self.is_alone() && !self.places.is_waiting(asked.scope.tenant()) {
            return Ok(None);
        }
        let executions = self.ports.store.executions(asked.scope);
        let concurrency = asked.plan.document.concurrency.as_ref();
        let replaces = concurrency.is_some_and(|limit| limit.on_limit == OnLimit::Replace);
        // Where nobody is replaced, one that waits is enough to know.
        let looked_at = if replaces { LOOKED_AT } else { 1 };
        let with_key = match asked.key {
            Some(key) => executions.queued_with_key(asked.plan.document.intent.uid, key, looked_at).await?,
            None => Vec::new(),
        };
        let waiting = match self.tenant_limit(asked) {
            Some(_) => executions.count_queued().await?,
            None => with_key.len() as u64,
        };
        if waiting == 0 {
            return Ok(None);
        }
        self.place_freed(asked.scope);
        self.announce(Announcement::Freed { tenant: asked.scope.tenant().clone() });
        let reason = format!("{waiting} executions wait before it");
        Ok(Some(Held { reason, by_key: false, replaces: if replaces { with_key } else { Vec::new() } }))
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
        let _turn = self.decide(scope).await?;
        let noted = self.places.noted(scope.tenant());
        let queued = self.ports.store.executions(scope).queued(LOOKED_AT).await.map_err(Error::from)?;
        let mut left = 0;
        // Who waits on another node is started by that one.
        for row in queued.iter().filter(|row| self.owns(row)) {
            left += usize::from(!self.promote_one(scope, row).await?);
        }
        if left == 0 {
            self.places.note_empty(scope.tenant(), noted);
        }
        Ok(())
    }

    /// Whether it does not wait here any more.
    async fn promote_one(
        self: &Arc<Self>,
        scope: &TenantScope,
        row: &ExecutionRow,
    ) -> Result<bool, CommandError> {
        let Found::Here(entry) = self.entry(scope, &row.id).await? else { return Ok(true) };
        let (plan, origin) = {
            let state = entry.state.lock().await;
            match state.as_ref() {
                Some(owned) => (owned.execution.plan.clone(), owned.execution.origin.clone()),
                None => {
                    let loaded = self.reload(&entry).await?.execution;
                    (loaded.plan, loaded.origin)
                }
            }
        };
        let key = row.concurrency_key.as_deref();
        let is_child = matches!(origin, Some(Origin::Child { .. }));
        let asked = PlaceRequest { scope, plan: &plan, key, waits: true, is_child };
        if let Some(Held { replaces, .. }) = self.held(&asked).await? {
            // Said at its start already; but the host may have died before it was done.
            self.replace(scope, &row.requested_by, replaces);
            self.rest(&entry).await;
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
            Ok(()) | Err(CommandError::Refused(_) | CommandError::NotFound | CommandError::Moved) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn tenant_limit(&self, asked: &PlaceRequest<'_>) -> Option<u32> {
        let settings = self.ports.store.platform().settings_of(asked.scope.tenant());
        settings.limits.executions_running_max.filter(|_| !asked.is_child)
    }

    /// Looks again from time to time: an administrator may have raised a limit.
    pub(crate) async fn promote_again(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PROMOTE_EVERY) => {}
                () = self.closing.cancelled() => return,
            }
            for tenant in self.places.tenants_waiting() {
                self.place_freed(&TenantScope::engine(tenant));
            }
            for tenant in self.quotas.tenants_held() {
                self.quota_raised(&TenantScope::engine(tenant));
            }
        }
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
