//! Why an action did not give a result, typed so that the host knows whether another attempt may help.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What an action returns.
///
/// ```
/// use quantum_sdk::prelude::*;
///
/// fn half(n: i64) -> Result<i64> {
///     if n % 2 == 0 { Ok(n / 2) } else { Err(Failure::permanent("odd-number", format!("{n} has no half"))) }
/// }
/// assert_eq!(half(4).unwrap(), 2);
/// ```
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A typed failure.
///
/// ```
/// use std::time::Duration;
/// use quantum_sdk::Failure;
///
/// let gone = Failure::permanent("no-such-image", "the registry does not have myapp:1").details(&["myapp:1"]);
/// assert!(!gone.is_retryable());
/// let busy = Failure::retryable("registry-busy", "the registry is busy").after(Duration::from_secs(2));
/// assert_eq!(busy.after_ms(), Some(2_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Trying again is of no use.
    Permanent(Problem),
    /// Trying again may help, after at least so many milliseconds.
    Retryable(Problem, Option<u64>),
    /// The action saw [`Context::cancelled`](crate::Context::cancelled) and stopped.
    Cancelled,
}

/// What went wrong, for people and for programs.
///
/// ```
/// let failure = quantum_sdk::Failure::permanent("odd-number", "3 has no half");
/// assert_eq!(failure.problem().unwrap().code, "odd-number");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kebab-case, from an open set: `no-such-image`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Anything that helps a program, as JSON text: a value's code would be in every plugin, used or not.
    pub details: Option<String>,
}

impl Failure {
    /// A failure that stays, however often the action is tried.
    ///
    /// ```
    /// let failure = quantum_sdk::Failure::permanent("odd-number", "3 has no half");
    /// assert_eq!(failure.to_string(), "odd-number: 3 has no half");
    /// ```
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Permanent(Problem { code: code.into(), message: message.into(), details: None })
    }

    /// A failure that may be gone at the next attempt.
    ///
    /// ```
    /// assert!(quantum_sdk::Failure::retryable("busy", "try later").is_retryable());
    /// ```
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Retryable(Problem { code: code.into(), message: message.into(), details: None }, None)
    }

    /// The least time until the next attempt. Means something for retryable failures only.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let failure = quantum_sdk::Failure::retryable("busy", "try later").after(Duration::from_millis(50));
    /// assert_eq!(failure.after_ms(), Some(50));
    /// ```
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        if let Self::Retryable(_, after) = &mut self {
            *after = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
        self
    }

    /// Adds data for programs; what cannot be written as JSON is left out.
    ///
    /// ```
    /// let failure = quantum_sdk::Failure::permanent("quota", "too many").details(&10);
    /// assert_eq!(failure.problem().unwrap().details.as_deref(), Some("10"));
    /// ```
    #[must_use]
    pub fn details(mut self, details: &impl Serialize) -> Self {
        if let Self::Permanent(problem) | Self::Retryable(problem, _) = &mut self {
            problem.details = serde_json::to_string(details).ok();
        }
        self
    }

    /// Whether the host may try again because of it.
    ///
    /// ```
    /// assert!(!quantum_sdk::Failure::Cancelled.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable(..))
    }

    /// Milliseconds that the next attempt waits at least.
    ///
    /// ```
    /// assert_eq!(quantum_sdk::Failure::retryable("busy", "try later").after_ms(), None);
    /// ```
    pub fn after_ms(&self) -> Option<u64> {
        match self {
            Self::Retryable(_, after) => *after,
            Self::Permanent(_) | Self::Cancelled => None,
        }
    }

    /// What went wrong; none when the action was cancelled.
    ///
    /// ```
    /// assert!(quantum_sdk::Failure::Cancelled.problem().is_none());
    /// ```
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Permanent(problem) | Self::Retryable(problem, _) => Some(problem),
            Self::Cancelled => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem() {
            Some(problem) => write!(f, "{}: {}", problem.code, problem.message),
            None => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Failure {}
