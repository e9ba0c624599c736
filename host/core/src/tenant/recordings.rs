//! Which attempts of a tenant are recorded.

use serde::{Deserialize, Serialize};

use crate::port::AttemptOutcome;

/// The label of an execution that asks for recordings of its attempts: `failures`, or `all`.
pub const RECORD_LABEL: &str = "quantum/record";

/// What a tenant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recordings {
    /// Nothing is recorded, whoever asks for it.
    Off,
    /// What the label of an execution asks for.
    #[default]
    Requested,
    /// The same, and each attempt that fails.
    Failures,
}

/// Which attempts of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Recorded {
    #[default]
    None,
    Failures,
    All,
}

impl Recorded {
    /// What a label asks for. Other words ask for nothing.
    pub fn asked(label: Option<&str>) -> Self {
        match label {
            Some("failures") => Self::Failures,
            Some("all") => Self::All,
            _ => Self::None,
        }
    }

    /// What comes of it in a tenant.
    pub fn allowed(self, recordings: Recordings) -> Self {
        match recordings {
            Recordings::Off => Self::None,
            Recordings::Requested => self,
            Recordings::Failures => self.max(Self::Failures),
        }
    }

    /// Whether the recording of an attempt that ended so is kept.
    pub const fn keeps(self, outcome: &AttemptOutcome) -> bool {
        match self {
            Self::None => false,
            Self::Failures => matches!(outcome, AttemptOutcome::Failed(_)),
            Self::All => true,
        }
    }
}

impl Recordings {
    pub const ALL: [Self; 3] = [Self::Off, Self::Requested, Self::Failures];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Requested => "requested",
            Self::Failures => "failures",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_says_what_the_wish_of_an_execution_is_worth() {
        use Recorded::{All, Failures, None};
        for (label, off, requested, failures) in [
            (Option::None, None, None, Failures),
            (Some("yes"), None, None, Failures),
            (Some("failures"), None, Failures, Failures),
            (Some("all"), None, All, All),
        ] {
            let allowed = |recordings| Recorded::asked(label).allowed(recordings);
            let all =
                (allowed(Recordings::Off), allowed(Recordings::Requested), allowed(Recordings::Failures));
            assert_eq!(all, (off, requested, failures), "{label:?}");
        }
        assert!(!Failures.keeps(&AttemptOutcome::Cancelled) && All.keeps(&AttemptOutcome::Cancelled));
    }
}
