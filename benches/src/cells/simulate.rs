//! One strategy, hour by hour: events, sign-ups, moves, and then the load as it is.
//!
//! Strategies see the past only: what a tenant will need is known after it has been placed.

use fastrand::Rng;

use super::chance::chance;
use super::figures::{Figures, Sample};
use super::placement::{Cell, Known, Map, Rebalancing, Strategy};
use super::rebalance::{Movable, Move, plan};
use super::setup::{HOURS_A_DAY, Setup};
use super::tenants::{Profile, Tenant, loads, profiles};

/// A cell above this part of its capacity is relieved within the hour.
const RELIEVE: f64 = 0.85;
/// Once a day, at a quiet hour, cells are levelled to so many times the mean of the day before.
const LEVEL: f64 = 1.1;
const LEVEL_HOUR: u32 = 3;

/// What all strategies are given: who there is, and what everyone needs when.
#[derive(Debug, Clone)]
pub struct World {
    pub setup: Setup,
    pub profiles: Vec<Profile>,
    /// Rows are hours.
    pub loads: Vec<Vec<f64>>,
}

/// How things stand at the end of an hour.
#[derive(Debug, Clone, Copy)]
pub struct Hour<'a> {
    pub hour: u32,
    /// None: not signed up yet.
    pub cell_of: &'a [Option<Cell>],
    pub cells: &'a [Known],
    /// Of the budget.
    pub moves: &'a [Move],
}

struct Run<'a> {
    world: &'a World,
    strategy: Strategy,
    rng: Rng,
    cell_of: Vec<Option<Cell>>,
    /// With the loads of the hour before.
    cells: Vec<Known>,
    moved_today: usize,
    figures: Figures,
}

impl World {
    pub fn new(setup: Setup) -> Self {
        let profiles = profiles(&setup);
        let loads = loads(&setup, &profiles);
        Self { setup, profiles, loads }
    }

    /// The same tenants with the same loads, on other cells.
    #[must_use]
    pub fn with_cells(&self, cells: usize) -> Self {
        Self { setup: self.setup.with_cells(cells), ..self.clone() }
    }

    fn load(&self, hour: u32, tenant: Tenant) -> f64 {
        let row = self.loads.get(hour as usize);
        row.and_then(|row| row.get(tenant)).copied().unwrap_or_default()
    }
}

/// Runs it, and shows every hour to `observe`.
pub fn simulate(world: &World, strategy: Strategy, mut observe: impl FnMut(Hour<'_>)) -> Figures {
    let mut run = Run::new(world, strategy);
    for hour in 0..world.setup.hours() {
        run.happen(hour);
        run.sign_up(hour);
        let moves = run.rebalance(hour);
        run.measure(hour);
        observe(Hour { hour, cell_of: &run.cell_of, cells: &run.cells, moves: &moves });
    }
    run.figures
}

impl<'a> Run<'a> {
    fn new(world: &'a World, strategy: Strategy) -> Self {
        Self {
            world,
            strategy,
            rng: chance(&[world.setup.seed]),
            cell_of: vec![None; world.profiles.len()],
            cells: vec![Known { load: 0.0, alive: true }; world.setup.cells],
            moved_today: 0,
            figures: Figures::default(),
        }
    }

    fn happen(&mut self, hour: u32) {
        let events = self.world.setup.events;
        if hour == events.added_at {
            self.cells.push(Known { load: 0.0, alive: true });
            self.compute_anew();
        }
        if hour == events.dies_at {
            self.lose_the_largest();
        }
        if hour == events.back_at {
            self.cells.iter_mut().for_each(|known| known.alive = true);
        }
    }

    /// A map that is computed changes with the cells, all at once.
    fn compute_anew(&mut self) {
        if self.strategy.map == Map::Kept {
            return;
        }
        for (tenant, cell) in self.cell_of.iter_mut().enumerate().filter(|(_, cell)| cell.is_some()) {
            let now = self.strategy.place(tenant, &self.cells, &mut self.rng);
            self.figures.moved_at_once += usize::from(now != *cell);
            *cell = now;
        }
    }

    /// The cell with the most tenants, as the worst that can happen.
    fn lose_the_largest(&mut self) {
        let mut tenants = vec![0; self.cells.len()];
        for cell in self.cell_of.iter().flatten() {
            if let Some(there) = tenants.get_mut(*cell) {
                *there += 1;
            }
        }
        let Some((cell, most)) = tenants.into_iter().enumerate().max_by_key(|(_, there)| *there) else {
            return;
        };
        let all: f64 = self.cells.iter().map(|known| known.load).sum();
        let Some(known) = self.cells.get_mut(cell) else { return };
        known.alive = false;
        self.figures.dead_tenants = most;
        self.figures.dead_load = known.load / all;
    }

    fn sign_up(&mut self, hour: u32) {
        for (tenant, profile) in self.world.profiles.iter().enumerate() {
            if profile.arrives != hour {
                continue;
            }
            let cell = self.strategy.place(tenant, &self.cells, &mut self.rng);
            if let Some(known) = cell.and_then(|cell| self.cells.get_mut(cell)) {
                known.load += self.world.load(hour, tenant);
            }
            if let Some(slot) = self.cell_of.get_mut(tenant) {
                *slot = cell;
            }
        }
    }

    fn rebalance(&mut self, hour: u32) -> Vec<Move> {
        if hour.is_multiple_of(HOURS_A_DAY) {
            self.moved_today = 0;
        }
        if self.strategy.rebalancing == Rebalancing::Never || hour == 0 {
            return Vec::new();
        }
        let budget = (self.world.setup.moves_a_day_max as usize).saturating_sub(self.moved_today);
        let moves = if hour % HOURS_A_DAY == LEVEL_HOUR && hour > HOURS_A_DAY {
            let (tenants, cells) = self.seen(hour - HOURS_A_DAY..hour);
            let alive = cells.iter().filter(|known| known.alive).count();
            let mean = cells.iter().map(|known| known.load).sum::<f64>() / alive as f64;
            plan(tenants, &cells, LEVEL * mean, budget)
        } else if self.cells.iter().any(|known| known.load > RELIEVE * self.world.setup.capacity) {
            let (tenants, cells) = self.seen(hour - 1..hour);
            plan(tenants, &cells, RELIEVE * self.world.setup.capacity, budget)
        } else {
            Vec::new()
        };
        self.make(&moves);
        moves
    }

    /// The mean of these hours, of tenants in cells that are up, and of the cells where they are now.
    fn seen(&self, hours: std::ops::Range<u32>) -> (Vec<Movable>, Vec<Known>) {
        let rows = || self.world.loads.iter().take(hours.end as usize).skip(hours.start as usize);
        let mut cells: Vec<Known> = self.cells.iter().map(|known| Known { load: 0.0, ..*known }).collect();
        let mut tenants = Vec::with_capacity(self.cell_of.len());
        for (tenant, cell) in self.cell_of.iter().enumerate() {
            let Some((cell, known)) = cell.and_then(|cell| Some((cell, cells.get_mut(cell)?))) else {
                continue;
            };
            if known.alive {
                let sum: f64 = rows().filter_map(|row| row.get(tenant)).sum();
                let load = sum / f64::from(hours.end - hours.start);
                known.load += load;
                tenants.push(Movable { tenant, cell, load });
            }
        }
        (tenants, cells)
    }

    fn make(&mut self, moves: &[Move]) {
        for step in moves {
            if let Some(cell) = self.cell_of.get_mut(step.tenant) {
                *cell = Some(step.to);
            }
        }
        self.moved_today += moves.len();
        self.figures.moved_within_budget += moves.len();
    }

    fn measure(&mut self, hour: u32) {
        let mut cells: Vec<Sample> = vec![Sample::default(); self.cells.len()];
        for (tenant, cell) in self.cell_of.iter().enumerate() {
            if let Some(sample) = cell.and_then(|cell| cells.get_mut(cell)) {
                sample.tenants += 1;
                sample.load += self.world.load(hour, tenant);
            }
        }
        for (known, sample) in self.cells.iter_mut().zip(&cells) {
            known.load = sample.load;
        }
        let up = cells.into_iter().zip(&self.cells).filter(|(_, known)| known.alive);
        self.figures.add(hour, &self.world.setup, up.map(|(sample, _)| sample).collect());
    }
}
