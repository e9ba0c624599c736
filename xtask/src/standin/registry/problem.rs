//! What the registry says when it refuses: the codes of the distribution specification.

use serde_json::json;

use crate::http::Reply;

/// A refusal.
#[derive(Debug, Clone)]
pub struct Problem {
    status: u16,
    code: &'static str,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn reply(self) -> Reply {
        let error = json!({ "code": self.code, "message": self.message, "detail": null });
        let reply = Reply::json(self.status, &json!({ "errors": [error] }));
        self.headers.into_iter().fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

pub fn name_unknown(repository: &str) -> Problem {
    Problem::new(404, "NAME_UNKNOWN", format!("repository name not known to registry: {repository}"))
}

pub fn unsupported() -> Problem {
    Problem::new(405, "UNSUPPORTED", "the operation is unsupported")
}
