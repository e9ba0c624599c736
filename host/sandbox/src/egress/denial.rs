//! A refused request, with the line that would allow it.

use std::fmt;

use quantum_core::port::{ActionEntry, Verdict};
use quantum_core::vocabulary::{AddressClass, Trust};
use serde_json::{Value, json};

use super::address::Classified;
use super::target::Target;

/// Kept until a later request is let through; names what the attempt's failure was about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Denial {
    target: String,
    host: String,
    /// The rule that refused, for example a policy's id.
    rule: String,
    reason: String,
    address_class: Option<AddressClass>,
    decision_id: Option<String>,
    allow_with: Option<String>,
}

impl Denial {
    /// No pattern of the grant covers it. The name was not even resolved: a lookup would tell it to others.
    pub fn not_granted(target: &Target, action: &ActionEntry) -> Self {
        Self {
            target: target.to_string(),
            host: target.host.clone(),
            rule: "grant.hosts".to_owned(),
            reason: "the installation does not allow this host".to_owned(),
            address_class: None,
            decision_id: None,
            allow_with: Some(allowing_line(target, action)),
        }
    }

    /// The policies refused it.
    pub fn refused(target: &Target, address: &Classified, verdict: &Verdict) -> Self {
        let decision = &verdict.decision;
        let rule = if decision.policies.is_empty() {
            "default-deny".to_owned()
        } else {
            decision.policies.join(", ")
        };
        Self {
            target: target.to_string(),
            host: target.host.clone(),
            rule,
            reason: decision.reason.clone().unwrap_or_else(|| "no policy allows it".to_owned()),
            address_class: Some(address.class),
            decision_id: Some(decision.id.to_string()),
            allow_with: address.range.map(|range| format!("egress.allow_cidrs = [\"{range}\"]")),
        }
    }

    #[cfg(test)]
    pub fn example() -> Self {
        Self {
            target: "http://127.0.0.1".to_owned(),
            host: "127.0.0.1".to_owned(),
            rule: "grant.hosts".to_owned(),
            reason: "the installation does not allow this host".to_owned(),
            address_class: None,
            decision_id: None,
            allow_with: None,
        }
    }

    pub fn details(&self) -> Value {
        json!({
            "rule": self.rule,
            "host": self.host,
            "address_class": self.address_class,
            "decision_id": self.decision_id,
            "allow_with": self.allow_with,
        })
    }
}

/// A plugin that comes with the host is allowed hosts by the operator, an installed one by whoever installs it.
fn allowing_line(target: &Target, action: &ActionEntry) -> String {
    match (action.trust, action.plugin.split_once(':')) {
        (Trust::Builtin, Some((_, name))) => {
            format!("plugins.{name}.allow_hosts = [\"{target}\"] in quantum.toml")
        }
        _ => format!("quantum plugin install FILE --allow-host {target}"),
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request to {} was denied: {}", self.target, self.reason.trim_end_matches('.'))?;
        match (&self.allow_with, self.address_class) {
            (Some(line), None) => write!(f, "; allow it with: {line}"),
            (Some(line), Some(class)) => {
                write!(f, " (a {} address); allow it in quantum.toml with: {line}", class_words(class))
            }
            (None, Some(AddressClass::Metadata)) => {
                f.write_str(" (a metadata address, which nothing allows)")
            }
            (None, _) => Ok(()),
        }
    }
}

fn class_words(class: AddressClass) -> &'static str {
    match class {
        AddressClass::LinkLocal => "link-local",
        other => other.as_str(),
    }
}
