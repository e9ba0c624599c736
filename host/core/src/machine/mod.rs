//! The machine: two pure functions. `decide` says what a command makes happen, `apply` is the only writer of an
//! execution. A turn strings them together into what one commit writes.

mod admission;
mod apply;
mod command;
mod decide;
mod event;
mod execution;
mod turn;

pub use admission::{Admission, prepare};
pub use apply::{ApplyError, apply};
pub use command::{Command, Effect, Refusal};
pub use decide::{Decided, decide};
pub use event::{EVENT_FORMAT, Event, EventKind};
pub use execution::{Execution, NewExecution, StepState};
pub use turn::Turn;
