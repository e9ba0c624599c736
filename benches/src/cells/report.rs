//! The table for people, and the same figures as JSON.

use std::fmt::Write;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::decision::{Tried, decide};
use super::figures::Figures;
use super::placement::Strategy;
use super::setup::Setup;
use super::simulate::{World, simulate};

/// Numbers of cells that share the same capacity in the second table.
const SIZES: [usize; 5] = [5, 10, 20, 40, 80];
/// What they are run with.
const SIZED: Strategy = Strategy::RENDEZVOUS_AND_MOVES;
const HEAD: &str = concat!(
    "                         max/mean       p99     over 100 %:    moved   moved     of the dead cell:\n",
    "                     first   last  utilised  cells'  tenants'     at   within      tenants    load\n",
    "                                              hours     hours   once   budget\n",
);

#[derive(Debug, Clone)]
pub struct Report {
    setup: Setup,
    strategies: Vec<Tried>,
    /// With so many cells at the start.
    sizes: Vec<(usize, Figures)>,
}

/// As it is written for programs.
#[derive(Serialize)]
struct Line<'a> {
    seed: u64,
    strategy: &'static str,
    cells: usize,
    utilisation_p99: f64,
    #[serde(flatten)]
    figures: &'a Figures,
}

impl Report {
    pub fn new(setup: Setup) -> Self {
        let world = World::new(setup);
        let tried = |strategy| Tried { strategy, figures: simulate(&world, strategy, |_| {}) };
        let sized = |cells| (cells, simulate(&world.with_cells(cells), SIZED, |_| {}));
        Self {
            strategies: Strategy::ALL.into_iter().map(tried).collect(),
            sizes: SIZES.into_iter().map(sized).collect(),
            setup: world.setup,
        }
    }

    pub fn table(&self) -> String {
        let Setup { seed, tenants, cells, days, moves_a_day_max, .. } = &self.setup;
        let mut text = format!(
            "{tenants} tenants on {cells} cells, {days} days, {moves_a_day_max} moves a day, seed {seed}\n\n{HEAD}"
        );
        for Tried { strategy, figures } in &self.strategies {
            text.push_str(&row(strategy.name, figures));
        }
        _ = writeln!(text, "\n{} with other cells that can carry the same together:", SIZED.name);
        for (cells, figures) in &self.sizes {
            text.push_str(&row(&format!("{cells} cells"), figures));
        }
        text.push('\n');
        text.push_str(&self.decision());
        text
    }

    fn decision(&self) -> String {
        let Some(decision) = decide(&self.strategies, self.setup.moves_a_day_max) else {
            return "taken: none, since a new cell moves too many tenants at once with each\n".to_owned();
        };
        let mut text = format!("taken: {}\n", decision.taken);
        for (name, reason) in decision.against {
            _ = writeln!(text, "not {name}: {reason}");
        }
        text
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        let strategies = self.strategies.iter().map(|one| (one.strategy, self.setup.cells, &one.figures));
        let sizes = self.sizes.iter().map(|(cells, figures)| (SIZED, *cells, figures));
        let lines: Vec<Line<'_>> = strategies.chain(sizes).map(|one| self.line(one)).collect();
        let mut text = serde_json::to_string_pretty(&lines)?;
        text.push('\n');
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)
    }

    fn line<'a>(&self, (strategy, cells, figures): (Strategy, usize, &'a Figures)) -> Line<'a> {
        let utilisation_p99 = figures.utilisation_p99();
        Line { seed: self.setup.seed, strategy: strategy.name, cells, utilisation_p99, figures }
    }
}

fn row(name: &str, figures: &Figures) -> String {
    format!(
        "{name:<20} {:>5.2} {:>6.2} {:>7.0} %  {:>6} {:>9} {:>6} {:>8} {:>12} {:>5.1} %\n",
        figures.spread_first(),
        figures.spread_last(),
        figures.utilisation_p99() * 100.0,
        figures.hours_over,
        figures.tenant_hours_over,
        figures.moved_at_once,
        figures.moved_within_budget,
        figures.dead_tenants,
        figures.dead_load * 100.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(seed: u64) -> Setup {
        Setup { seed, tenants: 1_000, ..Setup::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_table_and_another_one_another() {
        assert_eq!(Report::new(small(1)).table(), Report::new(small(1)).table());
        let rows = |seed| Report::new(small(seed)).table().split_once("\n\n").unwrap().1.to_owned();
        assert_ne!(rows(1), rows(2));
    }

    #[test]
    fn the_guide_quotes_what_the_command_prints() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scaling.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let table = Report::new(Setup::default()).table();
        assert!(guide.contains(&table), "docs/scaling.md does not have this, as it is:\n{table}");
    }

    #[test]
    fn the_file_has_a_line_for_every_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench/cells.json");
        Report::new(small(3)).write(&path).unwrap();
        let lines: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(lines.len(), Strategy::ALL.len() + SIZES.len());
        assert!(lines.iter().all(|line| line["seed"] == 3 && line["dead_tenants"].is_u64()), "{lines:?}");
    }
}
