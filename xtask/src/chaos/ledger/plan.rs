//! How the ledger answers the n-th request for one effect. The plan stands in the request's path, so that a scenario
//! decides it and the ledger needs no list.

use std::fmt;
use std::str::FromStr;

/// Requests that are answered badly before one is answered well; what has this count never is.
pub const ALWAYS: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The effect is made, and the answer says so.
    Done,
    /// 503 so many times, without an effect, with these seconds in `Retry-After`.
    Busy { times: u32, after_s: u32 },
    /// 404: trying again is of no use.
    Gone,
    /// So many times the effect is made and the connection ends without an answer.
    Cut { times: u32 },
    /// So many times the connection ends without an effect.
    Shut { times: u32 },
    /// So many times the effect is made and the answer comes late.
    Slow { times: u32, late_ms: u32 },
}

/// What one request leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    pub kind: Kind,
    pub late_ms: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Done,
    Busy { after_s: u32 },
    Gone,
    Cut,
    Shut,
}

impl Kind {
    /// Whether the effect was made.
    pub const fn has_effect(self) -> bool {
        matches!(self, Self::Done | Self::Cut)
    }
}

impl Plan {
    pub const fn busy(times: u32) -> Self {
        Self::Busy { times, after_s: 0 }
    }

    /// `nth` counts the requests under one idempotency key, from 1.
    pub fn act(self, nth: u32) -> Act {
        let at_once = |kind| Act { kind, late_ms: 0 };
        match self {
            Self::Busy { times, after_s } if nth <= times => at_once(Kind::Busy { after_s }),
            Self::Gone => at_once(Kind::Gone),
            Self::Cut { times } if nth <= times => at_once(Kind::Cut),
            Self::Shut { times } if nth <= times => at_once(Kind::Shut),
            Self::Slow { times, late_ms } if nth <= times => Act { kind: Kind::Done, late_ms },
            _ => at_once(Kind::Done),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Busy { times, after_s } => write!(f, "busy.{times}.{after_s}"),
            Self::Gone => f.write_str("gone"),
            Self::Cut { times } => write!(f, "cut.{times}"),
            Self::Shut { times } => write!(f, "shut.{times}"),
            Self::Slow { times, late_ms } => write!(f, "slow.{times}.{late_ms}"),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a plan");
        let mut words = text.split('.');
        let kind = words.next().unwrap_or_default();
        let numbers: Result<Vec<u32>, _> = words.map(str::parse).collect();
        match (kind, numbers.map_err(|_| wrong())?.as_slice()) {
            ("done", []) => Ok(Self::Done),
            ("busy", [times, after_s]) => Ok(Self::Busy { times: *times, after_s: *after_s }),
            ("gone", []) => Ok(Self::Gone),
            ("cut", [times]) => Ok(Self::Cut { times: *times }),
            ("shut", [times]) => Ok(Self::Shut { times: *times }),
            ("slow", [times, late_ms]) => Ok(Self::Slow { times: *times, late_ms: *late_ms }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let plans = [
            Plan::Done,
            Plan::Busy { times: 2, after_s: 1 },
            Plan::Gone,
            Plan::Cut { times: 1 },
            Plan::Shut { times: 3 },
            Plan::Slow { times: 1, late_ms: 500 },
        ];
        for plan in plans {
            assert_eq!(plan.to_string().parse(), Ok(plan));
        }
        for wrong in ["", "done.1", "busy.1", "slow.a.b", "lost"] {
            assert!(wrong.parse::<Plan>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plan_misbehaves_so_often_and_then_never_again() {
        let kinds = |plan: Plan| [1, 2, 3].map(|nth| plan.act(nth).kind);
        assert_eq!(kinds(Plan::Cut { times: 1 }), [Kind::Cut, Kind::Done, Kind::Done]);
        assert_eq!(kinds(Plan::Shut { times: 2 }), [Kind::Shut, Kind::Shut, Kind::Done]);
        assert_eq!(kinds(Plan::Gone), [Kind::Gone; 3]);
        assert_eq!(kinds(Plan::busy(ALWAYS)), [Kind::Busy { after_s: 0 }; 3]);
        assert_eq!([1, 2].map(|nth| Plan::Slow { times: 1, late_ms: 9 }.act(nth).late_ms), [9, 0]);
    }
}
