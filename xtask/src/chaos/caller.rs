//! Requests to whichever host lives, until there is an answer. No answer is never taken for one.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answers::{Answers, Heard};
use super::hosts::Hosts;
use crate::error::{Error, Result};
use crate::http::{self, Answer, Request};

/// How long one request may be silent: longer than a host is stopped, and than it needs for a commit.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// How long a client tries before no answer is a violation.
pub const ANSWER_MAX: Duration = Duration::from_secs(120);
/// How long a client waits for another host before it tries the same one again.
const NEXT_HOST_MAX: Duration = Duration::from_millis(300);
/// The longest pause that a host's `Retry-After` brings about.
const RETRY_AFTER_MAX: Duration = Duration::from_millis(1_000);
/// How long a new host may need for its first answer.
const FIRST_ANSWER_MAX: Duration = Duration::from_secs(30);

/// A user.
#[derive(Clone)]
pub struct Caller {
    pub hosts: Arc<Hosts>,
    pub answers: Arc<Answers>,
    pub token: String,
}

/// A request that changes something.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// For the record: `start`, `cancel`, …
    pub operation: &'a str,
    /// Of the execution.
    pub key: &'a str,
    /// The intent, or the execution.
    pub about: &'a str,
    pub path: &'a str,
    pub body: &'a Value,
    /// How long it is tried.
    pub most: Duration,
}

impl Caller {
    /// Sends the same request until it is answered with something else than "later"; every answer is kept.
    pub fn change(&self, change: Change<'_>) -> Result<Answer> {
        let body = change.body.to_string();
        let headers = [("idempotency-key", change.key)];
        let headers: &[_] = if change.operation == "start" { &headers } else { &[] };
        self.until_answered(change.operation, change.most, |url| {
            let request = Request { method: "POST", path: change.path, headers, body: &body };
            let answer = self.send(url, request);
            if !answer.as_ref().is_err_and(nobody_there) {
                let noted = self.answers.note(change.operation, change.key, change.about, heard(&answer));
                noted.map_err(Error::file("the answers of the API"))?;
            }
            Ok(answer.ok())
        })
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        self.get_with(path, &[("accept", "application/json")])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let request = Request { method: "GET", path, headers, body: "" };
        self.until_answered(path, ANSWER_MAX, |url| Ok(self.send(url, request).ok()))
    }

    /// One try, without a record.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let body = body.to_string();
        self.send(&self.hosts.here().1, Request { method: "POST", path, headers: &[], body: &body })
    }

    pub fn send(&self, url: &str, request: Request<'_>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(request.headers);
        http::send_within(url, Request { headers: &headers, ..request }, SILENCE_MAX)
    }

    fn until_answered(
        &self,
        what: &str,
        most: Duration,
        mut attempt: impl FnMut(&str) -> Result<Option<Answer>>,
    ) -> Result<Answer> {
        let began = Instant::now();
        while began.elapsed() < most && !self.hosts.are_gone() {
            let (generation, url) = self.hosts.here();
            match attempt(&url)? {
                Some(answer) if answer.status == 429 || answer.status >= 500 => {
                    let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
                    let rest = Duration::from_secs(seconds.unwrap_or(0)).min(RETRY_AFTER_MAX);
                    self.hosts.wait_after(generation, rest.max(Duration::from_millis(50)));
                }
                Some(answer) => return Ok(answer),
                None => self.hosts.wait_after(generation, NEXT_HOST_MAX),
            }
        }
        Err(Error::chaos(format!("no answer to \"{what}\" within {} s", most.as_secs())))
    }
}

/// Between two hosts. Nothing was sent, so nothing can have happened.
fn nobody_there(error: &Error) -> bool {
    matches!(error, Error::Network { source, .. } if source.kind() == ErrorKind::ConnectionRefused)
}

fn heard(answer: &Result<Answer>) -> Heard {
    match answer {
        Err(error) => Heard::Lost { reason: crate::shell::chain(error) },
        Ok(answer) if (200..300).contains(&answer.status) => Heard::Accepted {
            status: answer.status,
            execution: field(answer, "execution_id"),
            replayed: answer.header("idempotency-replayed") == Some("true"),
        },
        Ok(answer) => Heard::Refused { status: answer.status, code: field(answer, "code") },
    }
}

/// A text of the body; empty: it is not there.
pub fn field(answer: &Answer, name: &str) -> String {
    json(answer).get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Null when the body is no JSON.
pub fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// Looks whether a host answers at all.
pub struct Probe {
    pub caller: Caller,
}

impl Probe {
    /// Once the API answers; false: it does not.
    pub fn answers(&self, url: &str) -> bool {
        let began = Instant::now();
        let request = Request { method: "GET", path: "/api/v1/executions?limit=1", headers: &[], body: "" };
        while began.elapsed() < FIRST_ANSWER_MAX {
            match self.caller.send(url, request) {
                Ok(answer) if answer.status == 200 => return true,
                _ => super::pause(Duration::from_millis(5)),
            }
        }
        false
    }

    /// How many executions of an intent run now; none: nobody said so.
    pub fn running(&self, url: &str, intent: &str) -> Option<usize> {
        let path = format!("/api/v1/executions?intent={intent}&status=running&limit=200");
        let request = Request { method: "GET", path: &path, headers: &[], body: "" };
        let answer = self.caller.send(url, request).ok().filter(|answer| answer.status == 200)?;
        json(&answer).get("items").and_then(Value::as_array).map(Vec::len)
    }

    /// What `/readyz` says; none: nothing.
    pub fn is_ready(&self, admin: &str) -> Option<bool> {
        let request = Request { method: "GET", path: "/readyz", headers: &[], body: "" };
        let answer = http::send_within(admin, request, SILENCE_MAX).ok()?;
        Some(answer.status == 200)
    }
}
