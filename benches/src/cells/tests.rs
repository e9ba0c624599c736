//! What holds in every hour of every strategy, and that the decision does not hang on the seed.

use std::collections::BTreeMap;

use super::decision::{Tried, decide};
use super::placement::{Map, Rebalancing, Strategy};
use super::setup::{Events, HOURS_A_DAY, Setup};
use super::simulate::{Hour, World, simulate};

/// Small, with a tight budget, and with the one that grows doing so while a cell is down: then there is much to move.
fn world(seed: u64) -> World {
    let events = Setup::default().events;
    let events = Events { dies_at: events.grows_at - 6, back_at: events.grows_at + 30, ..events };
    World::new(Setup { seed, tenants: 2_000, moves_a_day_max: 5, events, ..Setup::default() })
}

/// Shows every hour of every strategy, on some seeds.
fn check(mut look: impl FnMut(&World, Strategy, &Hour<'_>)) {
    for seed in 1..=2 {
        let world = world(seed);
        for strategy in Strategy::ALL {
            simulate(&world, strategy, |hour| look(&world, strategy, &hour));
        }
    }
}

#[test]
fn every_tenant_is_in_one_cell_from_its_sign_up_on_and_in_none_before() {
    check(|world, strategy, hour| {
        assert_eq!(hour.cell_of.len(), world.profiles.len());
        for (profile, cell) in world.profiles.iter().zip(hour.cell_of) {
            let there = cell.is_some_and(|cell| cell < hour.cells.len());
            assert_eq!(there, profile.arrives <= hour.hour, "{} in hour {}", strategy.name, hour.hour);
        }
    });
}

#[test]
fn the_load_of_all_cells_is_that_of_all_tenants() {
    check(|world, strategy, hour| {
        let tenants: f64 = world.loads[hour.hour as usize].iter().sum();
        let cells: f64 = hour.cells.iter().map(|cell| cell.load).sum();
        assert!((tenants - cells).abs() < 1e-6, "{} in hour {}", strategy.name, hour.hour);
    });
}

#[test]
fn moves_stay_within_the_budget_of_a_day_and_away_from_a_cell_that_is_down() {
    let mut days: BTreeMap<(u64, &str, u32), usize> = BTreeMap::new();
    let mut budget = 0;
    check(|world, strategy, hour| {
        budget = world.setup.moves_a_day_max as usize;
        *days.entry((world.setup.seed, strategy.name, hour.hour / HOURS_A_DAY)).or_default() +=
            hour.moves.len();
        for step in hour.moves {
            assert_eq!(hour.cell_of[step.tenant], Some(step.to));
            assert!(step.from != step.to && hour.cells[step.from].alive && hour.cells[step.to].alive);
        }
    });
    assert!(days.values().all(|moves| *moves <= budget), "{days:?}");
    assert!(days.values().any(|moves| *moves == budget), "a budget that is never used up proves nothing");
}

#[test]
fn a_tenant_changes_its_cell_by_a_move_or_because_the_map_is_computed_and_a_cell_came() {
    let mut before: Vec<Option<usize>> = Vec::new();
    check(|world, strategy, hour| {
        if hour.hour > 0 {
            let changed =
                before.iter().zip(hour.cell_of).filter(|(old, new)| old.is_some() && old != new).count();
            let came = strategy.map == Map::Computed && hour.hour == world.setup.events.added_at;
            assert!(came || changed == hour.moves.len(), "{} in hour {}", strategy.name, hour.hour);
            assert!(!came || changed > 0);
        }
        before = hour.cell_of.to_vec();
    });
}

#[test]
fn one_cell_is_down_as_long_as_it_is_said_and_keeps_its_tenants() {
    check(|world, strategy, hour| {
        let events = world.setup.events;
        let down: Vec<usize> = (0..hour.cells.len()).filter(|cell| !hour.cells[*cell].alive).collect();
        assert_eq!(down.len(), usize::from((events.dies_at..events.back_at).contains(&hour.hour)));
        let there = hour.cell_of.iter().flatten().filter(|cell| down.contains(cell)).count();
        assert!(down.is_empty() || there > 0, "{}", strategy.name);
    });
}

#[test]
fn who_never_moves_has_no_moves() {
    check(|_, strategy, hour| {
        assert!(hour.moves.is_empty() || strategy.rebalancing == Rebalancing::WithinBudget);
    });
}

#[test]
fn whatever_the_seed_the_same_strategy_is_taken() {
    for seed in 1..=3 {
        let world = World::new(Setup { seed, ..Setup::default() });
        let tried =
            Strategy::ALL.map(|strategy| Tried { strategy, figures: simulate(&world, strategy, |_| {}) });
        let decision = decide(&tried, world.setup.moves_a_day_max).unwrap();
        assert_eq!(decision.taken, Strategy::RENDEZVOUS_AND_MOVES.name, "seed {seed}: {decision:?}");
    }
}
