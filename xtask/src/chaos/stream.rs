//! Server-sent events as a client reads them: whole, or as far as they came before the connection ended.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::caller::Caller;
use crate::error::Result;
use crate::http::{self, ChunkReader, Request};

/// A host writes a comment every 15 seconds; after twice that the connection is dead.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What came of one stream.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Seen {
    /// Events of the log, in the order in which they came; progress and log lines are left out.
    pub events: Vec<Value>,
    /// The host ended it, and not a broken connection.
    pub whole: bool,
    /// Something that is not an event of this kind of stream.
    pub wrong: Option<String>,
}

/// Reads the stream of an execution after `last`, to its end or until it is time to do something else.
pub fn follow(caller: &Caller, url: &str, execution: &str, last: u64, until: Instant) -> Result<Seen> {
    let (last, bearer) = (last.to_string(), format!("Bearer {}", caller.token));
    let headers = [
        ("authorization", bearer.as_str()),
        ("accept", "text/event-stream"),
        ("last-event-id", last.as_str()),
    ];
    let path = format!("/api/v1/executions/{execution}/events");
    let request = Request { method: "GET", path: &path, headers: &headers, body: "" };
    let (head, stream) = http::open(url, request, SILENCE_MAX)?;
    if head.status() != Some(200) {
        let wrong = head.status() != Some(503);
        let wrong = wrong.then(|| format!("the stream of {execution} was answered with {}", head.first_line));
        return Ok(Seen { wrong, ..Seen::default() });
    }
    Ok(read(ChunkReader::new(stream), until))
}

fn read(stream: impl Read, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut lines = BufReader::new(stream).lines();
    let mut block = Block::default();
    loop {
        match lines.next() {
            None => return Seen { whole: true, ..seen },
            Some(Err(_)) => return seen,
            Some(Ok(line)) if line.is_empty() => {
                if let Err(wrong) = std::mem::take(&mut block).finish(&mut seen.events) {
                    return Seen { wrong: Some(wrong), ..seen };
                }
                if Instant::now() > until {
                    return seen;
                }
            }
            Some(Ok(line)) => block.push(&line),
        }
    }
}

/// The lines between two empty ones.
#[derive(Default)]
struct Block {
    id: Option<String>,
    event: String,
    data: String,
}

impl Block {
    fn push(&mut self, line: &str) {
        match line.split_once(": ") {
            Some(("id", id)) => self.id = Some(id.to_owned()),
            Some(("event", event)) => event.clone_into(&mut self.event),
            Some(("data", data)) => self.data.push_str(data),
            _ => {}
        }
    }

    /// Blocks without an id are not part of the log.
    fn finish(self, events: &mut Vec<Value>) -> std::result::Result<(), String> {
        let Some(id) = self.id else { return Ok(()) };
        let event: Value =
            serde_json::from_str(&self.data).map_err(|error| format!("{error}: {}", self.data))?;
        let same = event.get("seq").and_then(Value::as_u64).map(|seq| seq.to_string()) == Some(id.clone())
            && event.get("type").and_then(Value::as_str) == Some(&self.event);
        if !same {
            return Err(format!("the event {id} \"{}\" has the data {}", self.event, self.data));
        }
        events.push(event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> (Vec<u64>, bool) {
        let far = Instant::now() + Duration::from_secs(600);
        let seen = read(text.as_bytes(), far);
        (seen.events.iter().map(|event| event["seq"].as_u64().unwrap()).collect(), seen.wrong.is_some())
    }

    #[test]
    fn events_of_the_log_are_kept_and_lines_of_steps_and_comments_are_not() {
        let text = "id: 1\nevent: a\ndata: {\"seq\":1,\"type\":\"a\"}\n\n: still here\n\n\
                    event: step_log\ndata: {\"type\":\"step_log\"}\n\n\
                    id: 2\nevent: b\ndata: {\"seq\":2,\"type\":\"b\"}\n\n";
        assert_eq!(check(text), (vec![1, 2], false));
    }

    #[test]
    fn an_event_that_is_cut_is_not_seen_and_one_under_a_false_id_is_wrong() {
        assert_eq!(check("id: 1\nevent: a\ndata: {\"seq\":1,\"type\":\"a\"}"), (vec![], false));
        assert_eq!(check("id: 2\nevent: a\ndata: {\"seq\":1,\"type\":\"a\"}\n\n"), (vec![], true));
        assert_eq!(check("id: 1\nevent: b\ndata: {\"seq\":1,\"type\":\"a\"}\n\n"), (vec![], true));
    }
}
