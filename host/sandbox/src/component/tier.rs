//! How carefully code is made.

use wasmtime::{Config, OptLevel, RegallocAlgorithm};

/// Code of both does the same, and is loaded by the same engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// In half the time: without optimisation, and with the simpler allocator of registers.
    Baseline,
    Optimized,
}

impl Tier {
    pub const ALL: [Self; 2] = [Self::Optimized, Self::Baseline];

    /// As arguments and file names have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Optimized => "optimized",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.word() == word)
    }

    pub fn set(self, config: &mut Config) {
        if self == Self::Baseline {
            config.cranelift_opt_level(OptLevel::None);
            config.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
        }
    }
}
