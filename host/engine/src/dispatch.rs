//! Which admitted attempt runs next: bounded, and in turn between tenants, so that one tenant's thousand attempts do
//! not hold back another's first.

use std::collections::{HashMap, VecDeque};

use quantum_core::id::TenantId;

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

#[derive(Debug)]
struct TenantQueue<T> {
    jobs: VecDeque<T>,
    running: usize,
    in_turn: bool,
}

impl<T> FairQueue<T> {
    pub fn new(running_max: usize, per_tenant_max: usize) -> Self {
        let (tenants, turn) = (HashMap::new(), VecDeque::new());
        Self { running_max, per_tenant_max, running: 0, waiting: 0, tenants, turn }
    }

    pub fn push(&mut self, tenant: &TenantId, job: T) {
        let empty = || TenantQueue { jobs: VecDeque::new(), running: 0, in_turn: false };
        self.tenants.entry(tenant.clone()).or_insert_with(empty).jobs.push_back(job);
        self.waiting += 1;
        self.line_up(tenant);
    }

    /// The next job to start, which counts as running from now on.
    pub fn next(&mut self) -> Option<T> {
        if self.running >= self.running_max {
            return None;
        }
        let tenant = self.turn.pop_front()?;
        let queue = self.tenants.get_mut(&tenant)?;
        queue.in_turn = false;
        let job = queue.jobs.pop_front()?;
        queue.running += 1;
        self.running += 1;
        self.waiting -= 1;
        self.line_up(&tenant);
        Some(job)
    }

    /// A job of this tenant ended.
    pub fn done(&mut self, tenant: &TenantId) {
        self.running = self.running.saturating_sub(1);
        let Some(queue) = self.tenants.get_mut(tenant) else { return };
        queue.running = queue.running.saturating_sub(1);
        if queue.running == 0 && queue.jobs.is_empty() {
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
        if !queue.in_turn && !queue.jobs.is_empty() && queue.running < self.per_tenant_max {
            queue.in_turn = true;
            self.turn.push_back(tenant.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn queue(jobs: &[(&str, u32)], running_max: usize, per_tenant_max: usize) -> FairQueue<u32> {
        let mut queue = FairQueue::new(running_max, per_tenant_max);
        jobs.iter().for_each(|(name, job)| queue.push(&tenant(name), *job));
        queue
    }

    #[test]
    fn tenants_take_turns_whatever_the_length_of_their_queues() {
        let mut queue = queue(&[("a", 1), ("a", 2), ("a", 3), ("b", 10), ("c", 20)], 9, 9);
        let order: Vec<u32> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order, [1, 10, 20, 2, 3]);
    }

    #[test]
    fn a_tenant_at_its_limit_waits_and_others_go_on() {
        let mut queue = queue(&[("a", 1), ("a", 2), ("b", 10)], 9, 1);
        assert_eq!((queue.next(), queue.next(), queue.next()), (Some(1), Some(10), None));
        queue.done(&tenant("a"));
        assert_eq!((queue.next(), queue.waiting()), (Some(2), 0));
    }

    #[test]
    fn the_host_limit_holds_for_all_tenants_together() {
        let mut queue = queue(&[("a", 1), ("b", 2)], 1, 9);
        assert_eq!((queue.next(), queue.next()), (Some(1), None));
        queue.done(&tenant("a"));
        assert_eq!((queue.next(), queue.running()), (Some(2), 1));
    }

    #[test]
    fn an_idle_tenant_leaves_nothing_behind() {
        let mut queue = queue(&[("a", 1)], 1, 1);
        queue.next();
        queue.done(&tenant("a"));
        assert!(queue.tenants.is_empty() && queue.turn.is_empty());
    }
}
