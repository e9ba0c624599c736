//! Which tenants to move, and where to: decided from loads, done by nobody here.

use super::placement::{Cell, Known};
use super::tenants::Tenant;

/// A move that brings less than this part of a usual cell is not worth a pause of its tenant.
const WORTH: f64 = 0.002;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub tenant: Tenant,
    pub from: Cell,
    pub to: Cell,
}

/// A tenant that may be moved: where it is, and what it needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Movable {
    pub tenant: Tenant,
    pub cell: Cell,
    pub load: f64,
}

/// Moves after which no cell has more than `at_most`, as far as `moves_max` go. Each takes the largest tenant that fits
/// from the fullest cell into the emptiest one, so that few moves bring much, and makes the fuller of the two emptier.
/// Cells that are down are left alone. No tenant is moved twice.
pub fn plan(mut tenants: Vec<Movable>, cells: &[Known], at_most: f64, moves_max: usize) -> Vec<Move> {
    let mut left: Vec<(Cell, f64)> = cells
        .iter()
        .enumerate()
        .filter(|(_, known)| known.alive)
        .map(|(cell, known)| (cell, known.load))
        .collect();
    let mut moves = Vec::new();
    while moves.len() < moves_max {
        left.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        let [empty, .., full] = left.as_mut_slice() else { break };
        if full.1 <= at_most {
            break;
        }
        let gap = full.1 - empty.1;
        let fits = |movable: &Movable| movable.cell == full.0 && (WORTH..=gap / 2.0).contains(&movable.load);
        let largest = tenants.iter().enumerate().filter(|(_, movable)| fits(movable));
        let Some((at, _)) = largest.max_by(|(_, one), (_, other)| one.load.total_cmp(&other.load)) else {
            // What is left in it is one large tenant, or dust: the next fullest may be helped all the same.
            left.pop();
            continue;
        };
        let Movable { tenant, load, .. } = tenants.swap_remove(at);
        moves.push(Move { tenant, from: full.0, to: empty.0 });
        full.1 -= load;
        empty.1 += load;
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads of the tenants of each cell, to the moves as (tenant's load, from, to).
    fn check(cells: &[&[f64]], at_most: f64, moves_max: usize) -> Vec<(f64, Cell, Cell)> {
        let mut tenants = Vec::new();
        for (cell, loads) in cells.iter().enumerate() {
            for load in *loads {
                tenants.push(Movable { tenant: tenants.len(), cell, load: *load });
            }
        }
        let known: Vec<Known> =
            cells.iter().map(|loads| Known { load: loads.iter().sum(), alive: true }).collect();
        let moves = plan(tenants.clone(), &known, at_most, moves_max);
        moves.iter().map(|m| (tenants[m.tenant].load, m.from, m.to)).collect()
    }

    #[test]
    fn cells_that_are_full_enough_are_left_alone() {
        assert_eq!(check(&[&[0.5, 0.2], &[0.1]], 0.7, 9), []);
        assert_eq!(check(&[], 0.7, 9), []);
        assert_eq!(check(&[&[5.0, 5.0]], 0.7, 9), [], "there is no other cell");
    }

    #[test]
    fn the_largest_tenant_that_fits_goes_from_the_fullest_to_the_emptiest() {
        assert_eq!(check(&[&[0.6, 0.3, 0.1], &[0.5], &[0.2]], 0.8, 9), [(0.3, 0, 2)]);
    }

    #[test]
    fn a_budget_ends_the_moves() {
        let full: &[f64] = &[0.25; 8];
        assert_eq!(check(&[full, &[]], 0.5, 0), []);
        assert_eq!(check(&[full, &[]], 0.5, 2).len(), 2);
        assert_eq!(check(&[full, &[]], 1.0, 9).len(), 4);
    }

    #[test]
    fn from_under_a_tenant_that_fits_nowhere_its_neighbours_go() {
        assert_eq!(check(&[&[0.9, 0.1, 0.1], &[0.3], &[0.35]], 0.95, 9), [(0.1, 0, 1), (0.1, 0, 2)]);
        assert_eq!(
            check(&[&[2.0], &[0.6, 0.3], &[]], 0.7, 9),
            [(0.3, 1, 2)],
            "others are helped all the same"
        );
    }

    #[test]
    fn a_cell_that_is_down_gives_and_takes_nothing() {
        let down = |load| Known { load, alive: false };
        let up = |load| Known { load, alive: true };
        let tenants =
            vec![Movable { tenant: 0, cell: 0, load: 0.4 }, Movable { tenant: 1, cell: 1, load: 0.4 }];
        assert_eq!(plan(tenants, &[down(0.9), up(0.9), down(0.0)], 0.5, 9), []);
    }
}
