//! Runs executions: starts, admits, dispatches, settles, wakes, recovers. The only room with loops.
//!
//! Every change of an execution goes through one door, `commit`: decide and apply (core), write to the journal, wait
//! until it is durable, then release the effects. Components and policies are behind core's ports.

mod admit;
mod alarm;
mod attempt;
mod children;
mod clock;
mod commands;
mod commit;
mod dispatch;
mod engine;
mod entry;
mod error;
mod feed;
mod live;
mod logs;
mod news;
mod node;
mod operate;
mod options;
mod places;
mod quotas;
mod recover;
mod retention;
mod schedules;
mod source;
mod start;
mod stored_lines;
mod takeover;
mod together;
mod timers;
mod view;

pub use clock::{Clock, ManualClock, ShiftedClock, SystemClock};
pub use engine::Engine;
pub use error::{CommandError, Error, StartError};
pub use feed::{EventFeed, FeedItem};
pub use logs::LogBuffer;
pub use operate::ReplayRequest;
pub use options::{EngineOptions, Ports};
pub use source::{IntentSource, Runnable, SourceRequest};
pub use start::{StartOptions, StartRequest, Started};
pub use view::{ElementView, ElementsView, ExecutionView, StepView};
