//! Suspends a component that breaks again and again, in the tenant in which it does: attempts are answered at once
//! instead of being made, and one probe at a time finds out whether it is well again. Decides by the time that it is
//! given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quantum_core::id::{Digest, TenantId};
use quantum_core::port::{AttemptOutcome, Failure, FailureKind};

use crate::limits::{BROKEN_MAX, SUSPENDED_MS_FIRST, SUSPENDED_MS_LAST};

/// A component in a tenant: nobody suspends another tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub tenant: TenantId,
    pub component: Digest,
}

/// What an attempt says about its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A trap, or over its memory or its processor time.
    Broken,
    /// A result, or a failure in an orderly way.
    Sound,
    /// Nothing: a timeout may be another's fault, a fault of the host is, and a dropped attempt says nothing at all.
    None,
}

impl Sign {
    pub fn of(outcome: &AttemptOutcome) -> Self {
        let AttemptOutcome::Failed(Failure { kind, .. }) = outcome else { return Self::Sound };
        match kind {
            FailureKind::Trap | FailureKind::CpuLimit | FailureKind::MemoryLimit => Self::Broken,
            FailureKind::Permanent
            | FailureKind::Retryable
            | FailureKind::OutputLimit
            | FailureKind::InvalidOutput
            | FailureKind::Denied => Self::Sound,
            FailureKind::Timeout | FailureKind::Unavailable | FailureKind::HostFault | FailureKind::Lost => {
                Self::None
            }
        }
    }
}

/// What may be done with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Open,
    /// It finds out whether the component is well again.
    Probe,
    /// It is not made; the time until the next probe.
    Suspended(Duration),
}

/// The decision. What is not in it is well.
struct Breaker {
    in_a_row_max: u32,
    broken: HashMap<Key, Broken>,
}

struct Broken {
    in_a_row: u32,
    last: Instant,
    /// None: it did not break often enough.
    suspended: Option<Suspended>,
}

struct Suspended {
    pause: Duration,
    until: Instant,
    probing: bool,
}

impl Breaker {
    fn admit(&mut self, key: &Key, now: Instant) -> Admission {
        let Some(suspended) = self.broken.get_mut(key).and_then(|broken| broken.suspended.as_mut()) else {
            return Admission::Open;
        };
        if suspended.probing {
            return Admission::Suspended(suspended.pause);
        }
        match suspended.until.checked_duration_since(now).filter(|left| !left.is_zero()) {
            Some(left) => Admission::Suspended(left),
            None => {
                suspended.probing = true;
                Admission::Probe
            }
        }
    }

    /// Whether the component is suspended by this.
    fn settle(&mut self, key: &Key, admission: Admission, sign: Sign, now: Instant) -> bool {
        let probed = admission == Admission::Probe;
        match (self.broken.get_mut(key), sign) {
            (Some(Broken { suspended: Some(suspended), last, .. }), _) if probed => {
                suspended.probing = false;
                match sign {
                    Sign::Broken => {
                        *last = now;
                        suspended.pause = (suspended.pause * 2).min(Duration::from_millis(SUSPENDED_MS_LAST));
                        suspended.until = now + suspended.pause;
                    }
                    Sign::Sound => drop(self.broken.remove(key)),
                    Sign::None => {}
                }
                false
            }
            // It began before the component was suspended: probes alone say when that ends.
            (Some(Broken { suspended: Some(_), .. }), _) | (_, Sign::None) => false,
            (_, Sign::Sound) => {
                self.broken.remove(key);
                false
            }
            (_, Sign::Broken) => self.broke(key, now),
        }
    }

    fn broke(&mut self, key: &Key, now: Instant) -> bool {
        if !self.broken.contains_key(key) && self.broken.len() >= BROKEN_MAX {
            let oldest = self.broken.iter().min_by_key(|(_, broken)| broken.last).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.broken.remove(&key));
        }
        let fresh = || Broken { in_a_row: 0, last: now, suspended: None };
        let broken = self.broken.entry(key.clone()).or_insert_with(fresh);
        broken.in_a_row += 1;
        broken.last = now;
        if broken.in_a_row < self.in_a_row_max {
            return false;
        }
        let pause = Duration::from_millis(SUSPENDED_MS_FIRST);
        broken.suspended = Some(Suspended { pause, until: now + pause, probing: false });
        true
    }
}

/// The breaker that all attempts share.
pub(crate) struct Breakers(Mutex<Breaker>);

/// Of one attempt that is made. Dropped without a word it says nothing of the component.
pub(crate) struct Pass {
    breakers: Arc<Breakers>,
    key: Key,
    admission: Admission,
    sign: Sign,
}

impl Breakers {
    /// `in_a_row_max`: attempts that break one after another, and then the component is suspended.
    pub fn new(in_a_row_max: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Breaker { in_a_row_max: in_a_row_max.max(1), broken: HashMap::new() })))
    }

    /// Err: the attempt is not to be made, and the time until the next probe.
    pub fn admit(self: &Arc<Self>, key: Key) -> Result<Pass, Duration> {
        let admission = self.with(|breaker| breaker.admit(&key, Instant::now()));
        if let Admission::Suspended(left) = admission {
            metrics::counter!("quantum_attempts_suspended_total").increment(1);
            return Err(left);
        }
        Ok(Pass { breakers: self.clone(), key, admission, sign: Sign::None })
    }

    fn with<T>(&self, decide: impl FnOnce(&mut Breaker) -> T) -> T {
        decide(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Pass {
    pub fn ended(mut self, outcome: &AttemptOutcome) {
        self.sign = Sign::of(outcome);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Self { key, admission, sign, .. } = self;
        if self.breakers.with(|breaker| breaker.settle(key, *admission, *sign, Instant::now())) {
            metrics::counter!("quantum_components_suspended_total").increment(1);
            let Key { tenant, component } = key;
            tracing::warn!(%tenant, %component, "a component broke again and again, and is suspended");
        }
    }
}

#[cfg(test)]
mod tests;
