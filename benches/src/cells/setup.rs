//! What is simulated: how many tenants on how many cells, for how long, and what happens meanwhile.

pub const HOURS_A_DAY: u32 = 24;

#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    pub seed: u64,
    pub tenants: usize,
    /// At the start; one is added on the way.
    pub cells: usize,
    /// Of one cell, in cells of the usual size.
    pub capacity: f64,
    /// Of all tenants together in the mean of a day, in cells of the usual size.
    pub load: f64,
    pub days: u32,
    /// Moves of a day that rebalancing may make.
    pub moves_a_day_max: u32,
    pub events: Events,
}

/// What happens, in hours from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Events {
    /// An empty cell comes.
    pub added_at: u32,
    /// The cell with the most tenants is gone, and back with all of its data later.
    pub dies_at: u32,
    pub back_at: u32,
    /// One tenant needs so many times as much, from then on.
    pub grows_at: u32,
    pub growth: f64,
    /// It is the largest of those at this rank and below.
    pub grower_rank: usize,
}

impl Setup {
    pub const fn hours(&self) -> u32 {
        self.days * HOURS_A_DAY
    }

    /// The same tenants on more, smaller cells or on fewer, larger ones.
    #[must_use]
    pub fn with_cells(&self, cells: usize) -> Self {
        let all = self.capacity * self.cells as f64;
        Self { cells, capacity: all / cells as f64, ..self.clone() }
    }
}

impl Default for Setup {
    /// Half of what the cells can carry is used in the mean of a day, and about two thirds at its peak.
    fn default() -> Self {
        Self {
            seed: 1,
            tenants: 10_000,
            cells: 20,
            capacity: 1.0,
            load: 10.0,
            days: 14,
            moves_a_day_max: 20,
            events: Events {
                added_at: 3 * HOURS_A_DAY,
                dies_at: 6 * HOURS_A_DAY + 10,
                back_at: 6 * HOURS_A_DAY + 14,
                grows_at: 8 * HOURS_A_DAY + 9,
                growth: 50.0,
                grower_rank: 200,
            },
        }
    }
}
