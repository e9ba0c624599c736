//! States of intents, versions, executions and steps.

super::words!(
    /// `paused` takes no new executions, `archived` is read-only.
    IntentStatus { Active = "active", Paused = "paused", Archived = "archived" }
);

super::words!(
    VersionStatus { Draft = "draft", Active = "active", Superseded = "superseded" }
);

super::words!(
    ExecutionStatus {
        /// Held back by a limit.
        Queued = "queued",
        Running = "running",
        Paused = "paused",
        Parked = "parked",
        Compensating = "compensating",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
    }
);

impl ExecutionStatus {
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

super::words!(
    StepStatus {
        Pending = "pending",
        Running = "running",
        /// A timer is set for the next attempt.
        Retrying = "retrying",
        /// For a time, a signal, approvals, or a child execution.
        Waiting = "waiting",
        /// For an operator.
        Parked = "parked",
        Succeeded = "succeeded",
        Failed = "failed",
        Skipped = "skipped",
        Cancelled = "cancelled",
        /// It succeeded, and is being undone.
        Compensating = "compensating",
        Compensated = "compensated",
        CompensationFailed = "compensation_failed",
    }
);

impl StepStatus {
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded
                | Self::Failed
                | Self::Skipped
                | Self::Cancelled
                | Self::Compensated
                | Self::CompensationFailed
        )
    }
}
