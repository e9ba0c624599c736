//! A refused request, with the line that would allow it.

use std::fmt;

use ipnet::IpNet;
use quantum_core::manifest::{HostPattern, SecretPlace};
use quantum_core::port::{ActionEntry, Decision, OpenSecret, Verdict};
use quantum_core::vocabulary::AddressClass;
use serde_json::{Value, json};

use super::address::Classified;
use super::allowing::{host_line, install_line, pattern, range_line};
use super::route::Route;
use super::target::Target;
use crate::secret::{self, Stand};

/// The host's own policy about addresses that are not public.
const ADDRESS_GUARD: &str = "guard.address";
/// Characters of a path in the words of a denial.
const PATH_CHARS_MAX: usize = 200;

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
    pub fn not_granted(method: &str, target: &Target, action: &ActionEntry) -> Self {
        let request = target.request(method);
        let near: Vec<&str> = action
            .grant
            .hosts
            .iter()
            .filter(|pattern| pattern.names_host(&request))
            .map(HostPattern::as_str)
            .collect();
        let allow_with = Some(host_line(method, target, action));
        let words = if near.is_empty() {
            Words::new(target, "grant.hosts", "the installation does not allow this host")
        } else {
            let path: String = target.path.chars().take(PATH_CHARS_MAX).collect();
            let near = near.join(" and ");
            let reason =
                format!("the installation allows this host, but not {method} {path} there: it allows {near}");
            Words::new(target, "grant.requests", reason)
        };
        Self(Box::new(Words { allow_with, ..words }))
    }

    /// The plugin was uninstalled since the attempt began.
    pub fn uninstalled(target: &Target, action: &ActionEntry) -> Self {
        let reason = format!("{} is not installed any more", action.plugin);
        let allow_with = Some(install_line(action));
        Self(Box::new(Words { allow_with, ..Words::new(target, "grant.installation", reason) }))
    }

    /// The attempt has done all that an attempt may. Nothing allows more.
    pub fn over_limit(target: &Target, limit: &str, reason: String) -> Self {
        Self(Box::new(Words::new(target, format!("limit.{limit}"), reason)))
    }

    /// The policies refused it. The address and the host are those that it really goes to; `allowed` are the ranges that
    /// the operator allows.
    pub fn refused(route: &Route, address: &Classified, allowed: &[IpNet], verdict: &Verdict) -> Self {
        Self(Box::new(Words {
            target: route.to_string(),
            address_class: Some(address.class),
            allow_with: policy_lines(&route.actual, address, allowed, &verdict.decision),
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
    pub fn secret_host(target: &Target, method: &str, secret: &OpenSecret) -> Self {
        let line = secret::host_line(secret, &pattern(method, target, &secret.hosts));
        let reason = format!("the secret {} is not for this host", secret.name);
        Words { allow_with: Some(line), ..Words::new(target, "secret.hosts", reason) }.about(secret)
    }

    /// The secret was there when the placeholder was given, and cannot be used any more. The reason says what helps.
    pub fn secret_lost(target: &Target, secret: &OpenSecret, why: &str) -> Self {
        Words::new(target, "secret.missing", why).about(secret)
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
    pub fn secret_refused(
        target: &Target,
        secret: &OpenSecret,
        verdict: &Verdict,
        allow_with: Option<String>,
    ) -> Self {
        let words = Words::by_policy(target, verdict);
        let reason = words.reason.trim_end_matches('.');
        let reason = format!("the secret {} may not be used: {reason}", secret.name);
        Words { reason, allow_with, ..words }.about(secret)
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

/// The range that makes the address an allowed one, and what takes the host out of the operator's policies.
fn policy_lines(
    target: &Target,
    address: &Classified,
    allowed: &[IpNet],
    decision: &Decision,
) -> Option<String> {
    let (guard, others): (Vec<String>, Vec<String>) =
        decision.policies.iter().cloned().partition(|id| id == ADDRESS_GUARD);
    let range = match (guard.is_empty(), &address.range) {
        (true, _) => None,
        (false, Some(range)) => Some(range_line(allowed, range)),
        // A metadata address: whatever else is allowed, it stays refused.
        (false, None) => return None,
    };
    let others = Decision { policies: others, ..decision.clone() };
    let thing = format!("resource has host && resource.host == \"{}\"", target.host);
    match (range, secret::exception(&others, &thing)) {
        (Some(range), Some(exception)) => Some(format!("{range}, and {exception}")),
        (range, exception) => range.or(exception),
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
        match *address_class {
            None | Some(AddressClass::Public | AddressClass::OperatorAllowed) => {}
            Some(AddressClass::Metadata) => f.write_str(" (a metadata address, which nothing allows)")?,
            Some(class) => write!(f, " (a {} address)", class_words(class))?,
        }
        match allow_with {
            Some(line) if line.starts_with("egress.") => {
                write!(f, "; allow it in quantum.toml with: {line}")
            }
            Some(line) => write!(f, "; allow it with: {line}"),
            None => Ok(()),
        }
    }
}

fn class_words(class: AddressClass) -> &'static str {
    match class {
        AddressClass::LinkLocal => "link-local",
        other => other.as_str(),
    }
}
