//! Which admitted attempt runs next: bounded, and in turn between tenants, so that one tenant's thousand attempts do
//! not hold back another's first. Within a tenant the more urgent ones go first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use quantum_core::id::TenantId;
use quantum_core::tenant::TenantSettings;

/// Waiting jobs and how much runs. Pure: the caller holds the lock and starts what it is given.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    running_max: usize,
    per_tenant_max: usize,
    running: usize,
    waiting: usize,
    tenants: HashMap<TenantId, TenantQueue<T>>,
    /// Tenants with waiting jobs and room to run one more.
    turn: VecDeque<TenantId>,
}

/// What a job is counted under.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub priority: i32,
    /// `namespace:name`
    pub plugin: String,
}

#[derive(Debug)]
struct TenantQueue<T> {
    jobs: BTreeMap<Reverse<i32>, VecDeque<(Class, T)>>,
    /// Jobs of plugins of which as many run as may.
    held: HashMap<String, VecDeque<(Class, T)>>,
    by_plugin: HashMap<String, usize>,
    running: usize,
    in_turn: bool,
    /// Jobs that it may still start before the next tenant's turn.
    credit: u32,
    settings: Arc<TenantSettings>,
}

impl<T> FairQueue<T> {
    pub fn new(running_max: usize, per_tenant_max: usize) -> Self {
        let (tenants, turn) = (HashMap::new(), VecDeque::new());
        Self { running_max, per_tenant_max, running: 0, waiting: 0, tenants, turn }
    }

    /// `settings`: of the tenant, as they are now.
    pub fn push(&mut self, tenant: &TenantId, class: Class, settings: Arc<TenantSettings>, job: T) {
        let queue = self.tenants.entry(tenant.clone()).or_insert_with(|| TenantQueue::new(settings.clone()));
        queue.settings = settings;
        queue.jobs.entry(Reverse(class.priority)).or_default().push_back((class, job));
        self.waiting += 1;
        self.line_up(tenant);
    }

    /// The next job to start, which counts as running from now on.
    pub fn next(&mut self) -> Option<(Class, T)> {
        if self.running >= self.running_max {
            return None;
        }
        loop {
            let tenant = self.turn.pop_front()?;
            let Some(queue) = self.tenants.get_mut(&tenant) else { continue };
            queue.in_turn = false;
            let Some((class, job)) = queue.take() else { continue };
            self.running += 1;
            self.waiting -= 1;
            if queue.credit > 0 && queue.has_room(self.per_tenant_max) {
                queue.in_turn = true;
                self.turn.push_front(tenant);
            } else {
                self.line_up(&tenant);
            }
            return Some((class, job));
        }
    }

    /// A job of this tenant ended.
    pub fn done(&mut self, tenant: &TenantId, class: &Class) {
        self.running = self.running.saturating_sub(1);
        let Some(queue) = self.tenants.get_mut(tenant) else { return };
        queue.done(class);
        if queue.running == 0 && queue.jobs.is_empty() && queue.held.is_empty() {
            self.tenants.remove(tenant);
        } else {
            self.line_up(tenant);
        }
    }

    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    pub const fn running(&self) -> usize {
        self.running
    }

    fn line_up(&mut self, tenant: &TenantId) {
        let Some(queue) = self.tenants.get_mut(tenant) else { return };
        if !queue.in_turn && queue.has_room(self.per_tenant_max) {
            queue.in_turn = true;
            queue.credit = queue.settings.limits.weight.max(1);
            self.turn.push_back(tenant.clone());
        }
    }
}

impl<T> TenantQueue<T> {
    fn new(settings: Arc<TenantSettings>) -> Self {
        Self {
            jobs: BTreeMap::new(),
            held: HashMap::new(),
            by_plugin: HashMap::new(),
            running: 0,
            in_turn: false,
            credit: 0,
            settings,
        }
    }

    fn has_room(&self, host_max: usize) -> bool {
        let own_max = self.settings.limits.attempts_running_max.map_or(usize::MAX, |max| max as usize);
        !self.jobs.is_empty() && self.running < host_max.min(own_max)
    }

    /// The most urgent job whose plugin may run one more; those before it are held until one of theirs ends.
    fn take(&mut self) -> Option<(Class, T)> {
        while let Some((class, job)) = self.pop() {
            let running = self.by_plugin.entry(class.plugin.clone()).or_default();
            let max = self.settings.limits.plugin_attempts_max.get(&class.plugin);
            if max.is_some_and(|max| *running >= *max as usize) {
                self.held.entry(class.plugin.clone()).or_default().push_back((class, job));
                continue;
            }
            *running += 1;
            self.running += 1;
            self.credit = self.credit.saturating_sub(1);
            return Some((class, job));
        }
        None
    }

    fn pop(&mut self) -> Option<(Class, T)> {
        let mut first = self.jobs.first_entry()?;
        let job = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        job
    }

    fn done(&mut self, class: &Class) {
        self.running = self.running.saturating_sub(1);
        if let Some(running) = self.by_plugin.get_mut(&class.plugin) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                self.by_plugin.remove(&class.plugin);
            }
        }
        let Some(held) = self.held.get_mut(&class.plugin) else { return };
        if let Some((class, job)) = held.pop_front() {
            self.jobs.entry(Reverse(class.priority)).or_default().push_front((class, job));
        }
        if held.is_empty() {
            self.held.remove(&class.plugin);
        }
    }
}

#[cfg(test)]
mod tests {
    use quantum_core::tenant::TenantLimits;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn class(plugin: &str, priority: i32) -> Class {
        Class { priority, plugin: plugin.to_owned() }
    }

    fn settings(limits: TenantLimits) -> Arc<TenantSettings> {
        Arc::new(TenantSettings { limits, ..TenantSettings::default() })
    }

    fn queue(jobs: &[(&str, u32)], running_max: usize, per_tenant_max: usize) -> FairQueue<u32> {
        let mut queue = FairQueue::new(running_max, per_tenant_max);
        for (name, job) in jobs {
            queue.push(&tenant(name), class("p", 0), Arc::default(), *job);
        }
        queue
    }

    fn next(queue: &mut FairQueue<u32>) -> Option<u32> {
        queue.next().map(|(_, job)| job)
    }

    #[test]
    fn tenants_take_turns_whatever_the_length_of_their_queues() {
        let mut queue = queue(&[("a", 1), ("a", 2), ("a", 3), ("b", 10), ("c", 20)], 9, 9);
        let order: Vec<u32> = std::iter::from_fn(|| next(&mut queue)).collect();
        assert_eq!(order, [1, 10, 20, 2, 3]);
    }

    #[test]
    fn a_tenant_of_weight_two_gets_two_turns() {
        let mut queue = queue(&[("b", 10), ("b", 11), ("b", 12)], 9, 9);
        let heavy = settings(TenantLimits { weight: 2, ..TenantLimits::default() });
        (1..=4).for_each(|job| queue.push(&tenant("a"), class("p", 0), heavy.clone(), job));
        let order: Vec<u32> = std::iter::from_fn(|| next(&mut queue)).collect();
        assert_eq!(order, [10, 1, 2, 11, 3, 4, 12]);
    }

    #[test]
    fn within_a_tenant_the_more_urgent_go_first_and_equals_in_their_order() {
        let mut queue = FairQueue::new(9, 9);
        for (job, priority) in [(1, 0), (2, 5), (3, 5), (4, 9)] {
            queue.push(&tenant("a"), class("p", priority), Arc::default(), job);
        }
        let order: Vec<u32> = std::iter::from_fn(|| next(&mut queue)).collect();
        assert_eq!(order, [4, 2, 3, 1]);
    }

    #[test]
    fn a_plugin_at_its_bound_holds_back_its_own_jobs_alone() {
        let limits =
            TenantLimits { plugin_attempts_max: [("slow".to_owned(), 1)].into(), ..TenantLimits::default() };
        let settings = settings(limits);
        let mut queue = FairQueue::new(9, 9);
        for (job, plugin) in [(1, "slow"), (2, "slow"), (3, "slow"), (4, "quick")] {
            queue.push(&tenant("a"), class(plugin, 0), settings.clone(), job);
        }
        assert_eq!((next(&mut queue), next(&mut queue), next(&mut queue)), (Some(1), Some(4), None));
        queue.done(&tenant("a"), &class("slow", 0));
        assert_eq!((next(&mut queue), next(&mut queue), queue.waiting()), (Some(2), None, 1));
        queue.done(&tenant("a"), &class("quick", 0));
        assert_eq!(next(&mut queue), None);
        queue.done(&tenant("a"), &class("slow", 0));
        assert_eq!((next(&mut queue), queue.waiting()), (Some(3), 0));
    }

    #[test]
    fn a_tenant_at_its_limit_waits_and_others_go_on() {
        let mut queue = queue(&[("a", 1), ("a", 2), ("b", 10)], 9, 1);
        assert_eq!((next(&mut queue), next(&mut queue), next(&mut queue)), (Some(1), Some(10), None));
        queue.done(&tenant("a"), &class("p", 0));
        assert_eq!((next(&mut queue), queue.waiting()), (Some(2), 0));
    }

    #[test]
    fn a_bound_of_the_tenants_own_holds_too() {
        let settings = settings(TenantLimits { attempts_running_max: Some(1), ..TenantLimits::default() });
        let mut queue = FairQueue::new(9, 9);
        (1..=2).for_each(|job| queue.push(&tenant("a"), class("p", 0), settings.clone(), job));
        assert_eq!((next(&mut queue), next(&mut queue)), (Some(1), None));
    }

    #[test]
    fn the_host_limit_holds_for_all_tenants_together() {
        let mut queue = queue(&[("a", 1), ("b", 2)], 1, 9);
        assert_eq!((next(&mut queue), next(&mut queue)), (Some(1), None));
        queue.done(&tenant("a"), &class("p", 0));
        assert_eq!((next(&mut queue), queue.running()), (Some(2), 1));
    }

    #[test]
    fn an_idle_tenant_leaves_nothing_behind() {
        let mut queue = queue(&[("a", 1)], 1, 1);
        next(&mut queue);
        queue.done(&tenant("a"), &class("p", 0));
        assert!(queue.tenants.is_empty() && queue.turn.is_empty());
    }
}
