//! The graph of an intent's steps, by position.

use crate::intent::{Definition, Order};

/// Edges point from a step to those it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    waits_for: Vec<Vec<usize>>,
}

impl Graph {
    /// `reads`: per step, the ids of the steps that its expressions name (and where; not looked at here).
    pub fn of(definition: &Definition, reads: &[Vec<(String, String)>]) -> Self {
        let position = |id: &str| definition.steps.iter().position(|step| step.id.as_str() == id);
        let edges = |at: usize| -> Vec<usize> {
            let Some(step) = definition.steps.get(at) else { return Vec::new() };
            let read = reads.get(at).into_iter().flatten().map(|(id, _)| id);
            let mut edges: Vec<usize> =
                step.depends_on.iter().chain(read).filter_map(|id| position(id)).collect();
            edges.sort_unstable();
            edges.dedup();
            edges
        };
        let waits_for = match definition.order {
            Order::Sequential => {
                (0..definition.steps.len()).map(|at| at.checked_sub(1).into_iter().collect())
            }
            Order::Graph => return Self { waits_for: (0..definition.steps.len()).map(edges).collect() },
        };
        Self { waits_for: waits_for.collect() }
    }

    /// Of a plan that was built: its edges are known.
    pub fn of_edges(waits_for: Vec<Vec<usize>>) -> Self {
        Self { waits_for }
    }

    pub fn waits_for(&self, step: usize) -> &[usize] {
        self.waits_for.get(step).map(Vec::as_slice).unwrap_or_default()
    }

    /// Steps that could run at the same time, level by level. Steps of a cycle are in none.
    pub fn levels(&self) -> Vec<Vec<usize>> {
        let mut level_of: Vec<Option<usize>> = vec![None; self.waits_for.len()];
        let mut levels = Vec::new();
        loop {
            let ready = |at: &usize| {
                let settled = |other: &usize| level_of.get(*other).copied().flatten().is_some();
                level_of.get(*at).copied().flatten().is_none() && self.waits_for(*at).iter().all(settled)
            };
            let next: Vec<usize> = (0..self.waits_for.len()).filter(ready).collect();
            if next.is_empty() {
                return levels;
            }
            for at in &next {
                if let Some(level) = level_of.get_mut(*at) {
                    *level = Some(levels.len());
                }
            }
            levels.push(next);
        }
    }

    /// The steps of one cycle, its first again at the end. None: there is no cycle.
    pub fn cycle(&self) -> Option<Vec<usize>> {
        let settled: Vec<usize> = self.levels().concat();
        let start = (0..self.waits_for.len()).find(|at| !settled.contains(at))?;
        let mut path = vec![start];
        loop {
            let last = *path.last()?;
            let next = *self.waits_for(last).iter().find(|at| !settled.contains(at))?;
            if let Some(first) = path.iter().position(|at| *at == next) {
                let mut cycle = path.split_off(first);
                cycle.push(next);
                cycle.reverse();
                return Some(cycle);
            }
            path.push(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[usize]]) -> Graph {
        Graph { waits_for: edges.iter().map(|e| e.to_vec()).collect() }
    }

    #[test]
    fn levels_hold_what_can_run_together() {
        let diamond = graph(&[&[], &[0], &[0], &[1, 2]]);
        assert_eq!(diamond.levels(), [vec![0], vec![1, 2], vec![3]]);
        assert_eq!(diamond.cycle(), None);
    }

    #[test]
    fn a_cycle_is_named_in_the_order_of_running() {
        assert_eq!(graph(&[&[], &[3], &[1], &[2]]).cycle(), Some(vec![1, 2, 3, 1]));
    }
}
