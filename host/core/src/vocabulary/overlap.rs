//! What a schedule does with a due time while an earlier execution of its own runs.

super::words!(
    Overlap {
        /// The due time is skipped and counted.
        Skip = "skip",
        /// One due time waits until nothing runs any more; further ones are skipped meanwhile.
        Queue = "queue",
        /// It starts beside the others.
        Allow = "allow",
        /// What runs is cancelled, and the due time starts when that has ended.
        CancelRunning = "cancel_running",
    }
);
