//! What came out of one strategy.

use serde::Serialize;

use super::setup::{HOURS_A_DAY, Setup};

/// One cell in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    pub tenants: usize,
    /// In cells of the usual size.
    pub load: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Load of the fullest cell over the mean, of each hour: before a cell was added, and on the last day.
    pub spread_first: Vec<f64>,
    pub spread_last: Vec<f64>,
    /// Load over capacity, of each cell in each hour.
    #[serde(skip)]
    pub utilisations: Vec<f64>,
    /// Cells times hours over capacity.
    pub hours_over: usize,
    /// Tenants times hours in a cell that was over its capacity.
    pub tenant_hours_over: usize,
    /// Tenants that changed their cell because the number of cells did.
    pub moved_at_once: usize,
    /// Tenants that rebalancing moved.
    pub moved_within_budget: usize,
    /// In the cell that died.
    pub dead_tenants: usize,
    /// Its part of all load.
    pub dead_load: f64,
}

impl Figures {
    pub fn add(&mut self, hour: u32, setup: &Setup, cells: Vec<Sample>) {
        let sum: f64 = cells.iter().map(|cell| cell.load).sum();
        let max = cells.iter().map(|cell| cell.load).fold(0.0, f64::max);
        let spread = max * cells.len() as f64 / sum;
        if hour < setup.events.added_at {
            self.spread_first.push(spread);
        }
        if hour >= setup.hours() - HOURS_A_DAY {
            self.spread_last.push(spread);
        }
        for cell in cells {
            let utilisation = cell.load / setup.capacity;
            self.utilisations.push(utilisation);
            if utilisation > 1.0 {
                self.hours_over += 1;
                self.tenant_hours_over += cell.tenants;
            }
        }
    }

    /// Part of all cell-hours in which a cell was over its capacity.
    pub fn part_over(&self) -> f64 {
        self.hours_over as f64 / self.utilisations.len() as f64
    }

    pub fn utilisation_p99(&self) -> f64 {
        quantile(&self.utilisations, 0.99)
    }

    pub fn spread_first(&self) -> f64 {
        quantile(&self.spread_first, 0.5)
    }

    pub fn spread_last(&self) -> f64 {
        quantile(&self.spread_last, 0.5)
    }
}

/// The share `part` of `samples` is below or at what is given; NaN of none.
fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_over_its_capacity_counts_with_everyone_in_it() {
        let cell = |tenants, load| Sample { tenants, load };
        let mut figures = Figures::default();
        let setup = Setup { capacity: 0.5, ..Setup::default() };
        figures.add(0, &setup, vec![cell(3, 0.6), cell(4, 0.2), cell(5, 0.1)]);
        assert_eq!((figures.hours_over, figures.tenant_hours_over), (1, 3));
        assert!((figures.part_over() - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(figures.utilisations, [1.2, 0.4, 0.2]);
        assert!((figures.spread_first() - 2.0).abs() < 1e-9, "{figures:?}");
        assert!(figures.spread_last().is_nan(), "the last day has not come");
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let samples: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!((quantile(&samples, 0.99), quantile(&samples, 0.5)), (198.0, 100.0));
    }
}
