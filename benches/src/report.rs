//! The figures beside their bounds: a row for people as soon as one is known, JSON for programs at the end.

use std::io;
use std::path::Path;

use serde::Serialize;

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub what: String,
    pub unit: &'static str,
    pub measured: f64,
    /// None: it is only told.
    pub bound: Option<Bound>,
}

/// What holds, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    /// What was not measured, as a ratio of nothing, does not hold.
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
        }
    }
}

/// Whether figures are held against their bounds. Those of a small run prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Yes,
    No,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Processors of the machine.
    pub processors: usize,
    pub figures: Vec<Figure>,
}

impl Figure {
    pub fn bounded(what: impl Into<String>, unit: &'static str, measured: f64, at_most: f64) -> Self {
        Self { what: what.into(), unit, measured, bound: Some(Bound::AtMost(at_most)) }
    }

    pub fn at_least(what: impl Into<String>, unit: &'static str, measured: f64, least: f64) -> Self {
        Self { what: what.into(), unit, measured, bound: Some(Bound::AtLeast(least)) }
    }

    pub fn told(what: impl Into<String>, unit: &'static str, measured: f64) -> Self {
        Self { what: what.into(), unit, measured, bound: None }
    }

    pub fn holds(&self) -> bool {
        self.bound.is_none_or(|bound| bound.holds(self.measured))
    }

    pub fn row(&self, judged: Judged) -> String {
        let Self { what, unit, measured, bound } = self;
        let target = bound.map_or_else(|| "-".to_owned(), Bound::shown);
        let verdict = match bound {
            None => "",
            Some(_) if judged == Judged::No => "",
            Some(_) if self.holds() => "held",
            Some(_) => "MISSED",
        };
        format!("{what:<72} {target:>8} {measured:>10.2} {unit:<5} {verdict}")
    }
}

impl Default for Report {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { processors, figures: Vec::new() }
    }
}

impl Report {
    pub fn head(&self) -> String {
        let (what, target, measured) = ("what", "target", "measured");
        format!("\n{} processors\n\n{what:<72} {target:>8} {measured:>10}", self.processors)
    }

    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds)
    }

    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)
    }
}

/// The one in the middle; NaN of none.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The share `part` of `samples` is below or at what is given; NaN of none.
pub fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
