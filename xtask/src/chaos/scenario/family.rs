//! The kinds of scenarios, each with the words of the document that it is about.

use super::draft::{Draft, Drawing};
use super::{end, graph, host, line, people, service, undo};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Chain,
    Graph,
    Retry,
    RetryAfter,
    Interval,
    AnswerLost,
    Strict,
    Exhausted,
    Broken,
    NonRetryable,
    Timeout,
    Cancel,
    When,
    FanOut,
    Continue,
    Wait,
    Child,
    Signal,
    Approve,
    Pause,
    Park,
    Compensate,
    UndoElements,
    Deadline,
    Queue,
}

impl Family {
    pub const ALL: [Self; 25] = [
        Self::Chain,
        Self::Graph,
        Self::Retry,
        Self::RetryAfter,
        Self::Interval,
        Self::AnswerLost,
        Self::Strict,
        Self::Exhausted,
        Self::Broken,
        Self::NonRetryable,
        Self::Timeout,
        Self::Cancel,
        Self::When,
        Self::FanOut,
        Self::Continue,
        Self::Wait,
        Self::Child,
        Self::Signal,
        Self::Approve,
        Self::Pause,
        Self::Park,
        Self::Compensate,
        Self::UndoElements,
        Self::Deadline,
        Self::Queue,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Graph => "graph",
            Self::Retry => "retry",
            Self::RetryAfter => "retry-after",
            Self::Interval => "interval",
            Self::AnswerLost => "answer-lost",
            Self::Strict => "strict",
            Self::Exhausted => "exhausted",
            Self::Broken => "broken",
            Self::NonRetryable => "non-retryable",
            Self::Timeout => "timeout",
            Self::Cancel => "cancel",
            Self::When => "when",
            Self::FanOut => "fan-out",
            Self::Continue => "continue",
            Self::Wait => "wait",
            Self::Child => "child",
            Self::Signal => "signal",
            Self::Approve => "approve",
            Self::Pause => "pause",
            Self::Park => "park",
            Self::Compensate => "compensate",
            Self::UndoElements => "undo-elements",
            Self::Deadline => "deadline",
            Self::Queue => "queue",
        }
    }

    /// Whether the host can be asked for this family's words by validating one document. Pausing has none: its
    /// route is there or not.
    pub const fn route(self) -> Option<&'static str> {
        match self {
            Self::Pause => Some("/api/v1/executions/{id}/pause"),
            Self::Signal => Some("/api/v1/executions/{id}/signals/{name}"),
            Self::Approve => Some("/api/v1/executions/{id}/approve"),
            Self::Park => Some("/api/v1/executions/{id}/restart"),
            _ => None,
        }
    }

    /// Each family draws from numbers of its own, so that a new one leaves the others as they were.
    pub(super) fn stream(self) -> u64 {
        self.as_str().bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
    }

    pub(super) fn draw(self, drawing: &mut Drawing<'_>) -> Draft {
        match self {
            Self::Chain => line::chain(drawing),
            Self::Graph => graph::graph(drawing),
            Self::Retry => service::retry(drawing),
            Self::RetryAfter => service::retry_after(drawing),
            Self::Interval => service::interval(drawing),
            Self::AnswerLost => service::answer_lost(drawing),
            Self::Strict => end::strict(drawing),
            Self::Exhausted => end::exhausted(drawing),
            Self::Broken => end::broken(drawing),
            Self::NonRetryable => end::non_retryable(drawing),
            Self::Timeout => end::timeout(drawing),
            Self::Cancel => people::cancel(drawing),
            Self::When => line::when(drawing),
            Self::FanOut => graph::fan_out(drawing),
            Self::Continue => line::go_on(drawing),
            Self::Wait => host::wait(drawing),
            Self::Child => host::child(drawing),
            Self::Signal => people::signal(drawing),
            Self::Approve => people::approve(drawing),
            Self::Pause => people::pause(drawing),
            Self::Park => people::park(drawing),
            Self::Compensate => undo::compensate(drawing),
            Self::UndoElements => undo::elements(drawing),
            Self::Deadline => end::deadline(drawing),
            Self::Queue => line::queue(drawing),
        }
    }
}
