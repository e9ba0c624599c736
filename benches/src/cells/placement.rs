//! In which cell a tenant belongs. Pure: chance is an argument.

use fastrand::Rng;

use super::chance::chance;
use super::tenants::Tenant;

/// Position in the list of cells.
pub type Cell = usize;

/// How the cell of a new tenant is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The tenant's hash, modulo the number of cells.
    Modulo,
    /// The cell whose hash together with the tenant is the greatest.
    Rendezvous,
    /// Of two cells drawn by chance, the one with less load.
    TwoChoices,
}

/// Where it is known in which cell a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// Nowhere: it is computed each time, so that it changes when the cells do.
    Computed,
    /// In the tenant map, so that a tenant stays until somebody moves it.
    Kept,
}

/// One way to run the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strategy {
    pub name: &'static str,
    pub placement: Placement,
    pub map: Map,
    pub rebalancing: Rebalancing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalancing {
    Never,
    WithinBudget,
}

impl Strategy {
    pub const ALL: [Self; 5] = [
        Self::new("hash modulo", Placement::Modulo, Map::Computed, Rebalancing::Never),
        Self::new("rendezvous", Placement::Rendezvous, Map::Computed, Rebalancing::Never),
        Self::new("two choices", Placement::TwoChoices, Map::Kept, Rebalancing::Never),
        Self::new("two choices + moves", Placement::TwoChoices, Map::Kept, Rebalancing::WithinBudget),
        Self::RENDEZVOUS_AND_MOVES,
    ];
    pub const RENDEZVOUS_AND_MOVES: Self =
        Self::new("rendezvous + moves", Placement::Rendezvous, Map::Kept, Rebalancing::WithinBudget);

    const fn new(name: &'static str, placement: Placement, map: Map, rebalancing: Rebalancing) -> Self {
        Self { name, placement, map, rebalancing }
    }
}

/// What placement knows about a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    pub load: f64,
    pub alive: bool,
}

impl Strategy {
    /// None without a cell that can be taken. A map that is computed names cells that are down, too: it knows no other
    /// way to find the tenants whose data is there.
    pub fn place(self, tenant: Tenant, cells: &[Known], rng: &mut Rng) -> Option<Cell> {
        let takes = |known: &Known| known.alive || self.map == Map::Computed;
        let open: Vec<(Cell, &Known)> = cells.iter().enumerate().filter(|(_, known)| takes(known)).collect();
        let found = match self.placement {
            Placement::Modulo => {
                (hash(tenant, None) as usize).checked_rem(open.len()).and_then(|at| open.get(at))
            }
            Placement::Rendezvous => open.iter().max_by_key(|(cell, _)| hash(tenant, Some(*cell))),
            Placement::TwoChoices => {
                let drawn = rng.choose_multiple(&open, 2).into_iter();
                drawn.min_by(|(_, one), (_, other)| one.load.total_cmp(&other.load))
            }
        };
        found.map(|(cell, _)| *cell)
    }
}

fn hash(tenant: Tenant, cell: Option<Cell>) -> u64 {
    chance(&[tenant as u64, cell.map_or(0, |cell| cell as u64 + 1)]).u64(..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Known = Known { load: 0.0, alive: true };

    fn placed(strategy: Strategy, cells: usize) -> Vec<Cell> {
        let mut rng = Rng::with_seed(7);
        (0..10_000).map(|tenant| strategy.place(tenant, &vec![IDLE; cells], &mut rng).unwrap()).collect()
    }

    #[test]
    fn hashes_spread_tenants_evenly() {
        for strategy in Strategy::ALL.into_iter().filter(|one| one.placement != Placement::TwoChoices) {
            let placed = placed(strategy, 20);
            for cell in 0..20 {
                let there = placed.iter().filter(|placed| **placed == cell).count();
                assert!((420..580).contains(&there), "{}: {there} in {cell}", strategy.name);
            }
        }
    }

    #[test]
    fn one_more_cell_takes_its_share_by_rendezvous_and_mixes_up_everything_by_modulo() {
        let moved = |strategy: Strategy| {
            let both = placed(strategy, 20).into_iter().zip(placed(strategy, 21));
            both.filter(|(before, after)| before != after).collect::<Vec<_>>()
        };
        let [modulo, rendezvous, ..] = Strategy::ALL.map(moved);
        assert!(rendezvous.iter().all(|(_, after)| *after == 20));
        assert!((400..560).contains(&rendezvous.len()), "{}", rendezvous.len());
        assert!(modulo.len() > 9_300);
    }

    #[test]
    fn two_choices_take_the_lighter_cell_and_who_keeps_a_map_never_one_that_is_down() {
        let known = |load, alive| Known { load, alive };
        let cells = [known(0.9, true), known(0.1, false), known(0.5, true)];
        let [_, rendezvous, two_choices, ..] = Strategy::ALL;
        let mut rng = Rng::with_seed(3);
        for tenant in 0..100 {
            assert_eq!(two_choices.place(tenant, &cells, &mut rng), Some(2));
            assert_ne!(Strategy::RENDEZVOUS_AND_MOVES.place(tenant, &cells, &mut rng), Some(1));
        }
        assert!((0..100).any(|tenant| rendezvous.place(tenant, &cells, &mut rng) == Some(1)));
    }

    #[test]
    fn without_cells_there_is_no_place() {
        let mut rng = Rng::with_seed(3);
        assert!(Strategy::ALL.iter().all(|strategy| strategy.place(0, &[], &mut rng).is_none()));
    }
}
