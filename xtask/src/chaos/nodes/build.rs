//! Which build each new process is of, in a run that is a rolling upgrade: first all of the older one, in the end all of this
//! one, and in between both beside each other, back and forth.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::Serialize;

use super::super::options::Options;

/// Parts of the time at which the first process of this build may start, and from which on all are.
const MIXED: std::ops::Range<f64> = 0.1..0.9;
/// So that it draws other numbers than the plan of the same seed.
const SALT: u64 = 0x0075_7067_7261_6465;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    Older,
    This,
}

/// What the run puts in the place of what.
#[derive(Debug)]
pub struct Upgrade {
    pub older: PathBuf,
    lasts: Duration,
    began: Instant,
    rng: Rng,
    /// This build has prepared the database.
    pub is_prepared: bool,
}

impl Upgrade {
    /// None: there is one build.
    pub fn of(options: &Options) -> Option<Self> {
        let older = options.older.clone()?;
        let rng = Rng::with_seed(options.seed ^ SALT);
        Some(Self { older, lasts: options.lasts, began: Instant::now(), rng, is_prepared: false })
    }

    /// The faults begin now.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Whether it is time for this build to prepare the database, while the older one serves.
    pub fn must_prepare(&self) -> bool {
        !self.is_prepared && self.progress() >= MIXED.start
    }

    /// Of the process that starts now.
    pub fn draw(&mut self) -> Build {
        let progress = self.progress();
        if self.is_prepared { draw(progress, &mut self.rng) } else { Build::Older }
    }

    fn progress(&self) -> f64 {
        self.began.elapsed().as_secs_f64() / self.lasts.as_secs_f64()
    }
}

/// `progress`: from 0 to 1. The later, the more often it is this build.
fn draw(progress: f64, rng: &mut Rng) -> Build {
    let chance = (progress - MIXED.start) / (MIXED.end - MIXED.start);
    if rng.f64() < chance { Build::This } else { Build::Older }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_begins_with_the_older_build_and_ends_with_this_one_and_mixes_them_in_between() {
        let mut rng = Rng::with_seed(7);
        let mut of_100 = |progress| {
            let drawn = (0..100).map(|_| draw(progress, &mut rng));
            drawn.filter(|build| *build == Build::This).count()
        };
        assert_eq!((of_100(0.0), of_100(0.1), of_100(0.9), of_100(1.2)), (0, 0, 100, 100));
        assert!((30..70).contains(&of_100(0.5)));
    }
}
