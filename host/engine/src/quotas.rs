//! Quotas of a day: a tenant that has used one up starts nothing new, and steps that are ready wait until the day ends or
//! the limit is raised. Nothing is written for that: a ready step that was not admitted is ready after a crash, too.
//!
//! What other nodes use is read at most once a second, so that a quota may be passed by what they use in that time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quantum_core::id::{ExecutionId, TenantId};
use quantum_core::machine::{Blocker, Command, Execution, Slot};
use quantum_core::port::{LogEntry, LogLine, LogSink};
use quantum_core::time::Timestamp;
use quantum_core::usage::{Day, QuotaReached, Sums, Used, quota_reached};
use quantum_store::TenantScope;

use crate::engine::Shared;
use crate::entry::{Entry, Found};
use crate::error::{CommandError, Error};

/// Milliseconds after which the sums of a tenant are read again.
const READ_AGAIN_MS: u64 = 1_000;

/// Of tenants with quotas.
#[derive(Default)]
pub(crate) struct Quotas {
    known: Mutex<HashMap<TenantId, Known>>,
    held: Mutex<HashMap<TenantId, HashSet<ExecutionId>>>,
}

/// What a tenant used today: as it was read, and what this node has booked since.
#[derive(Clone, Copy)]
struct Known {
    day: Day,
    sums: Sums,
    read_at: Timestamp,
}

impl Quotas {
    fn known(&self, tenant: &TenantId, day: Day, now: Timestamp) -> Option<Sums> {
        let known = self.lock_known().get(tenant).copied()?;
        let is_fresh = known.day == day && now.millis_since(known.read_at) < READ_AGAIN_MS;
        is_fresh.then_some(known.sums)
    }

    fn note(&self, tenant: &TenantId, known: Known) {
        self.lock_known().insert(tenant.clone(), known);
    }

    /// What became durable just now. Tenants without quotas are not known.
    pub fn spend(&self, tenant: &TenantId, used: &[Used]) {
        if used.is_empty() {
            return;
        }
        if let Some(known) = self.lock_known().get_mut(tenant) {
            let today = used.iter().filter(|used| used.account.day == known.day);
            today.for_each(|used| known.sums.add(&used.sums));
        }
    }

    /// Whether it was not held before.
    fn hold(&self, tenant: &TenantId, execution: ExecutionId) -> bool {
        self.lock_held().entry(tenant.clone()).or_default().insert(execution)
    }

    /// It goes on, or has ended.
    pub fn let_go(&self, tenant: &TenantId, execution: &ExecutionId) {
        let mut held = self.lock_held();
        if let Some(of_tenant) = held.get_mut(tenant) {
            of_tenant.remove(execution);
            if of_tenant.is_empty() {
                held.remove(tenant);
            }
        }
    }

    pub fn tenants_held(&self) -> Vec<TenantId> {
        self.lock_held().keys().cloned().collect()
    }

    fn held(&self, tenant: &TenantId) -> Vec<ExecutionId> {
        self.lock_held().get(tenant).into_iter().flatten().copied().collect()
    }

    fn lock_known(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_held(&self) -> MutexGuard<'_, HashMap<TenantId, HashSet<ExecutionId>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The quota that the tenant has used up. `more`: what is about to be booked.
    pub(crate) async fn quota(
        &self,
        scope: &TenantScope,
        more: &[Used],
    ) -> Result<Option<QuotaReached>, Error> {
        let settings = self.ports.store.platform().settings_of(scope.tenant());
        if !settings.limits.has_quotas() {
            return Ok(None);
        }
        let now = self.ports.clock.now();
        let day = Day::of(now);
        let mut sums = match self.quotas.known(scope.tenant(), day, now) {
            Some(sums) => sums,
            None => {
                let sums = self.ports.store.usage(scope).of_day(day).await?;
                self.quotas.note(scope.tenant(), Known { day, sums, read_at: now });
                sums
            }
        };
        more.iter().for_each(|used| sums.add(&used.sums));
        Ok(quota_reached(&settings.limits, day, &sums))
    }

    /// Why the step that is ready is not started now. What undoes a step is never held: half of it would be left.
    pub(crate) async fn held_by_quota(
        &self,
        entry: &Entry,
        (execution, slot): (&Execution, Slot),
        more: &[Used],
    ) -> Result<bool, Error> {
        if !slot.phase.is_run() || execution.action(slot).is_none() {
            return Ok(false);
        }
        let Some(reached) = self.quota(&entry.scope, more).await? else { return Ok(false) };
        if self.quotas.hold(entry.tenant(), entry.id) {
            self.timers.set(reached.until, entry);
            self.say_held(entry, execution, slot, &reached);
        }
        Ok(true)
    }

    fn say_held(&self, entry: &Entry, execution: &Execution, slot: Slot, reached: &QuotaReached) {
        let Some(planned) = execution.plan.step(slot.step) else { return };
        self.logs.write(LogLine {
            tenant: entry.tenant().clone(),
            execution: entry.id,
            step: planned.id.clone(),
            attempt: execution.slot(slot).map_or(0, |state| state.attempt),
            at: self.ports.clock.now(),
            entry: LogEntry::StepLog {
                level: "warn".to_owned(),
                message: format!("the step waits: {reached}"),
                fields: Default::default(),
            },
        });
    }

    /// As people are told of it, on whichever node.
    pub(crate) async fn quota_blocker(
        &self,
        scope: &TenantScope,
        execution: &Execution,
    ) -> Result<Option<Blocker>, Error> {
        let ready = execution.next_ready(self.ports.clock.now());
        let Some(slot) = ready.filter(|slot| slot.phase.is_run() && execution.action(*slot).is_some()) else {
            return Ok(None);
        };
        let Some(planned) = execution.plan.step(slot.step) else { return Ok(None) };
        let reached = self.quota(scope, &[]).await?;
        Ok(reached.map(|reached| Blocker::Quota {
            step: planned.id.clone(),
            element: slot.element,
            reason: reached.to_string(),
            until: reached.until,
        }))
    }

    /// A limit may have been raised: whoever waits for it goes on.
    pub(crate) fn quota_raised(self: &Arc<Self>, scope: &TenantScope) {
        let held = self.quotas.held(scope.tenant());
        if held.is_empty() {
            return;
        }
        let (shared, scope) = (self.clone(), scope.clone());
        self.attempts.spawn(async move {
            match shared.quota(&scope, &[]).await {
                Ok(None) => shared.wake_held(&scope, held).await,
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::warn!(tenant = %scope.tenant(), error = %error, "a quota could not be looked at; this is tried again");
                }
            }
        });
    }

    /// One that cannot be woken now stays held, and is woken later.
    async fn wake_held(self: &Arc<Self>, scope: &TenantScope, held: Vec<ExecutionId>) {
        for id in held {
            // It is held again where it still has to wait.
            self.quotas.let_go(scope.tenant(), &id);
            let woken = match self.entry(scope, &id).await {
                Ok(Found::Here(entry)) => self.commit(&entry, Command::Wake).await,
                // Whoever runs it holds it, too.
                Ok(Found::Elsewhere(_) | Found::Nowhere) => Ok(()),
                Err(error) => Err(CommandError::Failed(error)),
            };
            match woken {
                Ok(()) | Err(CommandError::Refused(_) | CommandError::NotFound | CommandError::Moved) => {}
                Err(error) => {
                    tracing::warn!(execution = %id, error = %error, "an execution could not go on yet; this is tried again");
                    self.quotas.hold(scope.tenant(), id);
                }
            }
        }
    }
}
