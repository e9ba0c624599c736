//! Plans that were built, by version. One that was built from another state of the directory is not given out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use quantum_core::id::{IntentUid, TenantId};
use quantum_core::plan::Plan;
use quantum_store::{IntentSummary, SharedPlan};

/// Plans that are kept: the versions that run within some minutes on one host. Over it the longest unused one goes.
const PLANS_MAX: usize = 1_024;
/// Bytes of JSON text of all plans; compiled they are some times larger. Over it the longest unused ones go.
const BYTES_MAX: usize = 32 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    tenant: TenantId,
    intent: IntentUid,
    version: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Built {
    pub plan: Arc<Plan>,
    pub encoded: SharedPlan,
}

/// Shared by all tenants.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    by_key: HashMap<Key, Slot>,
    bytes: usize,
    /// Counts uses, so that the longest unused slot is known.
    uses: u64,
}

#[derive(Debug)]
struct Slot {
    revision: u64,
    used: u64,
    built: Built,
}

impl Key {
    pub fn of(summary: &IntentSummary) -> Self {
        Self { tenant: summary.tenant.clone(), intent: summary.uid, version: summary.version.number }
    }
}

impl PlanCache {
    /// `revision`: of the directory, for the tenant.
    pub(super) fn get(&self, key: &Key, revision: u64) -> Option<Built> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.uses += 1;
        let used = slots.uses;
        let slot = slots.by_key.get_mut(key).filter(|slot| slot.revision == revision)?;
        slot.used = used;
        Some(slot.built.clone())
    }

    pub(super) fn put(&self, key: Key, revision: u64, built: Built) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&key);
        let bytes = built.encoded.json().len();
        while slots.by_key.len() >= PLANS_MAX || slots.bytes + bytes > BYTES_MAX {
            let Some(oldest) = slots.oldest() else { break };
            slots.remove(&oldest);
        }
        slots.uses += 1;
        slots.bytes += bytes;
        let used = slots.uses;
        slots.by_key.insert(key, Slot { revision, used, built });
    }
}

impl Slots {
    fn remove(&mut self, key: &Key) {
        if let Some(slot) = self.by_key.remove(key) {
            self.bytes -= slot.built.encoded.json().len();
        }
    }

    fn oldest(&self) -> Option<Key> {
        self.by_key.iter().min_by_key(|(_, slot)| slot.used).map(|(key, _)| key.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quantum_core::id::IntentName;
    use quantum_core::intent::Order;
    use quantum_core::plan::{PLAN_FORMAT, PlanDocument, PlannedIntent};
    use quantum_core::vocabulary::Environment;
    use serde_json::json;

    use super::*;

    fn key(version: u32) -> Key {
        let intent = IntentUid::parse("0198c0de-0000-7000-8000-000000000000").unwrap();
        Key { tenant: TenantId::new("t").unwrap(), intent, version }
    }

    fn built(bytes: usize) -> Built {
        let intent = PlannedIntent {
            uid: key(1).intent,
            name: IntentName::new("check").unwrap(),
            version: 1,
            labels: BTreeMap::new(),
            definition: json!({}),
        };
        let document = PlanDocument {
            format: PLAN_FORMAT,
            intent,
            blueprint_revision: None,
            environment: Environment::Test,
            order: Order::Sequential,
            steps: Vec::new(),
            input: None,
            output: None,
            timeout_ms: None,
            concurrency: None,
        };
        Built {
            plan: Arc::new(Plan::compile(document).unwrap()),
            encoded: SharedPlan::new("x".repeat(bytes)),
        }
    }

    #[test]
    fn the_longest_unused_plan_goes_when_there_are_too_many() {
        let cache = PlanCache::default();
        let one = built(1);
        for version in 0..1_024 {
            cache.put(key(version), 1, one.clone());
        }
        assert!(cache.get(&key(0), 1).is_some());
        cache.put(key(5_000), 1, one);
        assert!(cache.get(&key(0), 1).is_some(), "it was used since");
        assert!(cache.get(&key(1), 1).is_none());
        assert!(cache.get(&key(2), 1).is_some());
    }

    #[test]
    fn large_plans_make_room_for_each_other() {
        let cache = PlanCache::default();
        let large = built(BYTES_MAX / 2);
        for version in 1..4 {
            cache.put(key(version), 1, large.clone());
        }
        let kept: Vec<u32> = (1..4).filter(|version| cache.get(&key(*version), 1).is_some()).collect();
        assert_eq!(kept, [2, 3]);
        cache.put(key(3), 2, built(1));
        assert!(cache.get(&key(3), 1).is_none(), "one version has one plan");
        assert!(cache.get(&key(2), 1).is_some());
    }
}
