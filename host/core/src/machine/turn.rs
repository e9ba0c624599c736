//! One commit in the making: commands are decided and applied in order, their events and effects collected.

use super::apply::apply;
use super::command::{Command, Effect, Refusal};
use super::decide::decide;
use super::event::{EVENT_FORMAT, Event, EventKind};
use super::execution::Execution;
use super::slot::Slot;
use crate::limits::TURN_EVENTS_MAX;
use crate::time::Timestamp;
use crate::usage::{Day, Used};

/// Holds the execution until its events are on their way to the journal. If they do not become durable, the execution
/// is thrown away and built again from the store.
#[derive(Debug)]
pub struct Turn<'a> {
    execution: &'a mut Execution,
    now: Timestamp,
    /// When the execution was due at the beginning.
    due: Option<Timestamp>,
    events: Vec<Event>,
    effects: Vec<Effect>,
    used: Vec<Used>,
}

impl<'a> Turn<'a> {
    pub fn new(execution: &'a mut Execution, now: Timestamp) -> Self {
        let due = execution.next_due();
        Self { execution, now, due, events: Vec::new(), effects: Vec::new(), used: Vec::new() }
    }

    pub fn execution(&self) -> &Execution {
        self.execution
    }

    pub const fn now(&self) -> Timestamp {
        self.now
    }

    pub fn run(&mut self, command: Command) -> Result<(), Refusal> {
        let ended = match &command {
            Command::Settle { slot, report, .. } => Some((*slot, report.bill)),
            _ => None,
        };
        let decided = decide(self.execution, command, self.now)?;
        if let Some((slot, bill)) = ended
            && let Some(action) = self.execution.action(slot)
        {
            let failed = decided.events.iter().any(EventKind::is_failure);
            self.used.push(Used::by(action, Day::of(self.now), &bill, failed));
        }
        for kind in decided.events {
            let event = Event { v: EVENT_FORMAT, seq: self.execution.last_seq + 1, at: self.now, kind };
            // INVARIANT: decide makes only events that apply takes; the machine's properties hold the two together.
            apply(self.execution, &event).expect("decide makes only legal events");
            self.events.push(event);
        }
        for effect in decided.effects {
            // A round that changes nothing more names again what is still to be done.
            if !self.effects.contains(&effect) {
                self.effects.push(effect);
            }
        }
        Ok(())
    }

    /// What may start now, after everything that follows by itself. The caller admits it and asks again. None: nothing
    /// is ready, or this commit holds enough.
    pub fn next_ready(&mut self) -> Result<Option<Slot>, Refusal> {
        self.proceed()?;
        if self.events.len() >= TURN_EVENTS_MAX {
            return Ok(None);
        }
        Ok(self.execution.next_ready(self.now))
    }

    pub fn used(&self) -> &[Used] {
        &self.used
    }

    /// What the attempts used that ended so far. It is booked with the events, or not at all.
    pub fn take_used(&mut self) -> Vec<Used> {
        std::mem::take(&mut self.used)
    }

    /// Ends what can be ended, and gives what to write and what to do after that.
    pub fn finish(mut self) -> Result<(Vec<Event>, Vec<Effect>), Refusal> {
        self.proceed()?;
        let due = self.execution.next_due();
        let at = if self.events.len() >= TURN_EVENTS_MAX { Some(self.now) } else { due };
        if let Some(at) = at.filter(|at| self.due != Some(*at)) {
            self.effects.push(Effect::Wake { at });
        }
        Ok((self.events, self.effects))
    }

    /// Round by round, until nothing follows any more.
    fn proceed(&mut self) -> Result<(), Refusal> {
        loop {
            let before = self.events.len();
            self.run(Command::Proceed)?;
            if self.events.len() == before || self.events.len() >= TURN_EVENTS_MAX {
                return Ok(());
            }
        }
    }
}
