//! The machine: two pure functions. `decide` says what a command makes happen, `apply` is the only writer of an
//! execution. A turn strings them together into what one commit writes.

mod admission;
mod apply;
mod command;
mod decide;
mod event;
mod execution;
mod reason;
mod slot;
mod step_state;
mod turn;

pub use admission::{Admission, Circumstances, Prepared, fill, prepare, skipped_by_dry_run};
pub use apply::{ApplyError, apply};
pub use command::{ChildOutcome, Command, Effect, Refusal, Reuse};
pub use decide::{Decided, decide};
pub use event::{EVENT_FORMAT, Event, EventKind, SkipCause};
pub use execution::{Execution, NewExecution, Origin};
pub use reason::{Blocker, blockers};
pub use slot::{Phase, Slot};
pub use step_state::{FanOut, StepState, Waiting};
pub use turn::Turn;
