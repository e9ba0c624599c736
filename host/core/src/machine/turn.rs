//! One commit in the making: commands are decided and applied in order, their events and effects collected.

use super::apply::apply;
use super::command::{Command, Effect, Refusal};
use super::decide::decide;
use super::event::{EVENT_FORMAT, Event};
use super::execution::Execution;
use crate::time::Timestamp;

/// Holds the execution until its events are on their way to the journal. If they do not become durable, the execution
/// is thrown away and built again from the store.
#[derive(Debug)]
pub struct Turn<'a> {
    execution: &'a mut Execution,
    now: Timestamp,
    events: Vec<Event>,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    pub fn new(execution: &'a mut Execution, now: Timestamp) -> Self {
        Self { execution, now, events: Vec::new(), effects: Vec::new() }
    }

    pub fn execution(&self) -> &Execution {
        self.execution
    }

    pub fn run(&mut self, command: Command) -> Result<(), Refusal> {
        let decided = decide(self.execution, command, self.now)?;
        for kind in decided.events {
            let event = Event { v: EVENT_FORMAT, seq: self.execution.last_seq + 1, at: self.now, kind };
            // INVARIANT: decide makes only events that apply takes; the machine's properties hold the two together.
            apply(self.execution, &event).expect("decide makes only legal events");
            self.events.push(event);
        }
        self.effects.extend(decided.effects);
        Ok(())
    }

    /// The next step to admit.
    pub fn next_ready(&self) -> Option<usize> {
        self.execution.next_ready(self.now)
    }

    /// Ends what can be ended, and gives what to write and what to do after that.
    pub fn finish(mut self) -> (Vec<Event>, Vec<Effect>) {
        self.run(Command::Proceed).expect("Proceed is never refused");
        (self.events, self.effects)
    }
}
