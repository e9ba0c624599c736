//! `Status` objects of `meta/v1`: what the API says when it refuses.

use serde_json::{Map, Value, json};

use super::path::{Place, Target};
use crate::http::Reply;

const GROUP: &str = "apps";
const KIND: &str = "deployments";

#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    pub code: u16,
    reason: &'static str,
    pub message: String,
    details: Map<String, Value>,
}

/// One of several reasons, at a field.
#[derive(Debug, Clone)]
pub struct Cause {
    pub reason: &'static str,
    pub message: String,
    /// `spec.selector`
    pub field: String,
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Map::new() }
    }

    fn about(mut self, name: &str, group: &str, kind: &str) -> Self {
        let known = [("name", name), ("group", group), ("kind", kind)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty());
        self.details = known.map(|(key, text)| (key.to_owned(), Value::from(text))).collect();
        self
    }

    fn causes(mut self, causes: &[Cause]) -> Self {
        let cause =
            |cause: &Cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field });
        self.details.insert("causes".to_owned(), causes.iter().map(cause).collect());
        self
    }

    /// The object, as it also stands in a watch.
    pub fn object(&self) -> Value {
        let mut object = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
            "reason": self.reason, "code": self.code,
        });
        if let (false, Some(fields)) = (self.details.is_empty(), object.as_object_mut()) {
            fields.insert("details".to_owned(), Value::Object(self.details.clone()));
        }
        object
    }

    pub fn reply(&self) -> Reply {
        Reply::json(self.code, &self.object())
    }
}

pub fn unauthorized() -> Status {
    Status::new(401, "Unauthorized", "Unauthorized")
}

/// `verb` is what roles call it.
pub fn forbidden(user: &str, verb: &str, place: &Place) -> Status {
    let ((resource, group), name) = (place.resource(), place.name());
    let dot = if group.is_empty() { "" } else { "." };
    let named = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
    let message = format!(
        "{resource}{dot}{group}{named} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \
         \"{group}\" in the namespace \"{}\"",
        place.namespace()
    );
    Status::new(403, "Forbidden", message).about(name, group, resource)
}

pub fn no_namespace(name: &str) -> Status {
    let message = format!("namespaces \"{name}\" not found");
    Status::new(404, "NotFound", message).about(name, "", "namespaces")
}

pub fn no_deployment(target: &Target) -> Status {
    let name = &target.name;
    Status::new(404, "NotFound", format!("deployments.apps \"{name}\" not found")).about(name, GROUP, KIND)
}

pub fn no_resource() -> Status {
    Status::new(404, "NotFound", "the server could not find the requested resource")
}

pub fn not_allowed() -> Status {
    Status::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
}

pub fn media_type(given: &str) -> Status {
    let message = format!("the body of the request was in an unknown format: {given}");
    Status::new(415, "UnsupportedMediaType", message)
}

pub fn bad_request(message: impl Into<String>) -> Status {
    Status::new(400, "BadRequest", message)
}

/// The version to watch from is older than what is remembered.
pub fn expired(asked: u64, oldest: u64) -> Status {
    Status::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
}

/// Somebody else wrote in between.
pub fn modified(target: &Target) -> Status {
    let name = &target.name;
    let message = format!(
        "Operation cannot be fulfilled on deployments.apps \"{name}\": the object has been modified; please apply your \
         changes to the latest version and try again"
    );
    Status::new(409, "Conflict", message).about(name, GROUP, KIND)
}

/// Fields that other managers own with other values.
pub fn owned(causes: &[Cause]) -> Status {
    let lines: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.message, cause.field)).collect();
    let message = match lines.as_slice() {
        [line] => format!("Apply failed with 1 conflict: {line}"),
        _ => format!("Apply failed with {} conflicts:\n- {}", lines.len(), lines.join("\n- ")),
    };
    Status::new(409, "Conflict", message).causes(causes)
}

pub fn invalid(target: &Target, causes: &[Cause]) -> Status {
    let name = &target.name;
    let lines: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let lines = if lines.len() == 1 { lines.concat() } else { format!("[{}]", lines.join(", ")) };
    let message = format!("Deployment.apps \"{name}\" is invalid: {lines}");
    Status::new(422, "Invalid", message).about(name, GROUP, "Deployment").causes(causes)
}
