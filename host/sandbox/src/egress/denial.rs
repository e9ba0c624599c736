//! A refused request, with the line that would allow it.

use std::fmt;

use quantum_core::manifest::SecretPlace;
use quantum_core::port::{ActionEntry, OpenSecret, Verdict};
use quantum_core::vocabulary::{AddressClass, Trust};
use serde_json::{Value, json};

use super::address::Classified;
use super::route::Route;
use super::target::Target;
use crate::secret::Stand;

/// Kept until a later request is let through; names what the attempt's failure was about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Denial(Box<Words>);

#[derive(Debug, Clone, PartialEq)]
struct Words {
    target: String,
    host: String,
    /// The tenant's name of the secret that it is about.
    secret: Option<String>,
    /// The rule that refused, for example a policy's id.
    rule: String,
    reason: String,
    address_class: Option<AddressClass>,
    decision_id: Option<String>,
    allow_with: Option<String>,
}

impl Words {
    fn new(target: &Target, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            target: target.to_string(),
            host: target.host.clone(),
            secret: None,
            rule: rule.into(),
            reason: reason.into(),
            address_class: None,
            decision_id: None,
            allow_with: None,
        }
    }

    fn by_policy(target: &Target, verdict: &Verdict) -> Self {
        let decision = &verdict.decision;
        let rule = if decision.policies.is_empty() {
            "default-deny".to_owned()
        } else {
            decision.policies.join(", ")
        };
        let reason = decision.reason.clone().unwrap_or_else(|| "no policy allows it".to_owned());
        Self { decision_id: Some(decision.id.to_string()), ..Self::new(target, rule, reason) }
    }

    fn about(self, secret: &OpenSecret) -> Denial {
        Denial(Box::new(Self { secret: Some(secret.name.clone()), ..self }))
    }
}

impl Denial {
    /// No pattern of the grant covers it. The name was not even resolved: a lookup would tell it to others.
    pub fn not_granted(target: &Target, action: &ActionEntry) -> Self {
        let allow_with = Some(allowing_line(target, action));
        let reason = "the installation does not allow this host";
        Self(Box::new(Words { allow_with, ..Words::new(target, "grant.hosts", reason) }))
    }

    /// The policies refused it. The address and the host are those that it really goes to.
    pub fn refused(route: &Route, address: &Classified, verdict: &Verdict) -> Self {
        Self(Box::new(Words {
            target: route.to_string(),
            address_class: Some(address.class),
            allow_with: address.range.map(|range| format!("egress.allow_cidrs = [\"{range}\"]")),
            ..Words::by_policy(&route.actual, verdict)
        }))
    }

    /// An endpoint of the installation cannot be used.
    pub fn endpoint(target: &Target, key: &str, part: &str, reason: &str) -> Self {
        let rule = format!("endpoints.{key}.{part}");
        let reason = format!("{rule} of the installation cannot be used: {reason}");
        Self(Box::new(Words::new(target, rule, reason)))
    }

    /// The secret is for other hosts.
    pub fn secret_host(target: &Target, secret: &OpenSecret) -> Self {
        let OpenSecret { name, environment, .. } = secret;
        let line = format!("quantum secret set {name} --environment {environment} --host {target}");
        let reason = format!("the secret {name} is not for this host");
        Words { allow_with: Some(line), ..Words::new(target, "secret.hosts", reason) }.about(secret)
    }

    /// The plugin does not declare that the secret stands here.
    pub fn secret_place(target: &Target, stand: &Stand, place: SecretPlace) -> Self {
        let mut places = stand.places.clone();
        places.push(place);
        let declared = json!({ "name": stand.name, "places": places });
        let line = format!("\"secrets\": [{declared}] under \"capabilities\" of the plugin's manifest");
        let reason =
            format!("the plugin does not declare the secret {} for the {}", stand.secret.name, word(place));
        Words { allow_with: Some(line), ..Words::new(target, "secret.place", reason) }.about(&stand.secret)
    }

    /// No secret may stand here, whatever is declared.
    pub fn secret_misplaced(target: &Target, stand: &Stand, what: &str) -> Self {
        let name = &stand.secret.name;
        let reason =
            format!("the placeholder of the secret {name} stands in the {what}, where no secret is put in");
        Words::new(target, "secret.place", reason).about(&stand.secret)
    }

    /// The value itself is not what this place can hold.
    pub fn secret_value(target: &Target, stand: &Stand) -> Self {
        let name = &stand.secret.name;
        let reason = format!(
            "the value of the secret {name} has characters that no header can have, such as line breaks"
        );
        Words::new(target, "secret.value", reason).about(&stand.secret)
    }

    /// The values are too long for where they stand.
    pub fn secret_query(target: &Target) -> Self {
        let reason = "with its secrets the query is longer than a URL can be";
        Self(Box::new(Words::new(target, "secret.value", reason)))
    }

    /// More placeholders than one request may hold.
    pub fn secret_count(target: &Target, stand: &Stand, placeholders_max: usize) -> Self {
        let reason = format!("a request holds at most {placeholders_max} placeholders");
        Words::new(target, "secret.count", reason).about(&stand.secret)
    }

    /// The policies do not let the step use the secret, now.
    pub fn secret_refused(target: &Target, secret: &OpenSecret, verdict: &Verdict) -> Self {
        let words = Words::by_policy(target, verdict);
        let reason = format!("the secret {} may not be used: {}", secret.name, words.reason);
        Words { reason, ..words }.about(secret)
    }

    #[cfg(test)]
    pub fn example() -> Self {
        let target = Target { tls: false, host: "127.0.0.1".to_owned(), port: 80, path: "/".to_owned() };
        Self(Box::new(Words::new(&target, "grant.hosts", "the installation does not allow this host")))
    }

    pub fn details(&self) -> Value {
        let Words { secret, rule, host, address_class, decision_id, allow_with, .. } = &*self.0;
        let mut details = json!({
            "rule": rule,
            "host": host,
            "address_class": address_class,
            "decision_id": decision_id,
            "allow_with": allow_with,
        });
        if let (Some(secret), Some(members)) = (secret, details.as_object_mut()) {
            members.insert("secret".to_owned(), secret.clone().into());
        }
        details
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

fn word(place: SecretPlace) -> &'static str {
    match place {
        SecretPlace::Header => "headers",
        SecretPlace::Query => "query",
        SecretPlace::Body => "body",
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { target, reason, allow_with, address_class, .. } = &*self.0;
        write!(f, "the request to {target} was denied: {}", reason.trim_end_matches('.'))?;
        match (allow_with, *address_class) {
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
