//! Actions that the host runs itself: waits, signals, approvals, child executions, and failing on purpose. While one of
//! them waits it is a row and a timer; it holds no thread, no instance and no connection.

mod parameters;
mod wait;

use serde::{Deserialize, Serialize};

pub use parameters::{parameter_schema, schema};
pub use wait::{Begin, BuiltInStart, Wait, begin, wrong_literal};

/// What stands before the name in a document.
pub const PREFIX: &str = "core/";

/// An action without a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltIn {
    /// Until a time, or for a length of time.
    Wait,
    /// Until somebody sends the signal.
    Signal,
    /// Until people other than the requester approve.
    Approve,
    /// Until an execution of another intent has ended.
    ExecuteIntent,
    /// Fails the step.
    Fail,
}

impl BuiltIn {
    pub const ALL: &'static [Self] =
        &[Self::Wait, Self::Signal, Self::Approve, Self::ExecuteIntent, Self::Fail];

    /// As documents write it.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Wait => "core/wait",
            Self::Signal => "core/signal",
            Self::Approve => "core/approve",
            Self::ExecuteIntent => "core/execute-intent",
            Self::Fail => "core/fail",
        }
    }

    pub fn parse(action: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.action() == action)
    }

    /// Whether `timeout` bounds how long it waits.
    pub const fn takes_timeout(self) -> bool {
        matches!(self, Self::Signal | Self::Approve | Self::ExecuteIntent)
    }
}
