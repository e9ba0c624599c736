//! What would allow what a call was denied, or a build was refused for: a line of the manifest, or an option of this
//! tool. A failure says what was denied in its code and its details.

use quantum_core::manifest::{Capabilities, Manifest, RequestTarget, SecretPlace};
use quantum_core::problem::{Finding, Problem};
use quantum_core::vocabulary::Capability;
use quantum_sandbox::SandboxOptions;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::declaration::{Declaration, Form};
use super::network::{self, Network};

/// Rules of the tool's own gate.
pub(super) const NETWORK_CLOSED: &str = "network-closed";
pub(super) const ADDRESS_CLOSED: &str = "address-closed";
/// Behind the reason of a denial: what would allow it on a host.
const ON_A_HOST: &str = "; allow it with: ";
/// In front of what a helper in Python or JavaScript found undeclared.
const NOT_IN_MANIFEST: &str = "the manifest's capabilities do not have ";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    Declare(Declaration),
    /// An option of `run`, `test` and `dev`.
    Option(String),
}

impl Remedy {
    /// For people, on one line.
    pub fn line(&self, form: Form, declared: &Capabilities) -> String {
        let written = self.written(form, declared);
        match (self, form) {
            (Self::Option(_), _) => format!("allow it with: {written}"),
            (Self::Declare(_), Form::Attribute) => format!("allow it in the source: {written}"),
            (Self::Declare(Declaration::Memory(_)), Form::File) => {
                format!("allow it in manifest.json: {written}")
            }
            (Self::Declare(_), Form::File) => {
                format!("allow it in manifest.json, under \"capabilities\": {written}")
            }
            (Self::Declare(_), Form::Packed) => format!("allow it where its manifest is written: {written}"),
        }
    }

    /// What is to be typed or written.
    pub fn written(&self, form: Form, declared: &Capabilities) -> String {
        match self {
            Self::Option(option) => option.clone(),
            Self::Declare(declaration) => declaration.written(form, declared),
        }
    }
}

/// Nothing is installed here: in the place of what would allow it on a host stands what allows it here.
pub(super) fn tell_here(problem: &mut Problem, written: &str) {
    if let Some(at) = problem.message.find(ON_A_HOST) {
        problem.message.truncate(at);
    }
    if let Some(said) = problem.details.as_mut().and_then(|details| details.get_mut("allow_with")) {
        *said = Value::String(written.to_owned());
    }
}

/// Of a call. Empty: it failed for another reason, or nothing allows it.
pub(super) fn remedies(problem: &Problem, manifest: &Manifest, network: &Network) -> Vec<Remedy> {
    let found = match problem.code.as_str() {
        "effect-denied" => effect(problem, manifest),
        "http-dns" => unresolved(&problem.message, network),
        "secret-undeclared" => secret(&problem.message),
        "capability-undeclared" | "exception" => undeclared(&problem.message),
        "memory-limit" => memory(manifest),
        _ => None,
    };
    found.into_iter().collect()
}

/// Of a build: what its imports need.
pub(super) fn of_findings(findings: &[Finding]) -> Vec<Remedy> {
    let undeclared = findings.iter().filter(|finding| finding.code == "capability-undeclared");
    let mut capabilities: Vec<_> = undeclared.filter_map(capability).collect();
    capabilities.sort();
    capabilities.dedup();
    capabilities.into_iter().map(|one| Remedy::Declare(Declaration::Capability(one))).collect()
}

/// That a finding of the code `capability-undeclared` is about.
pub(super) fn capability(finding: &Finding) -> Option<Capability> {
    let named = |one: &&Capability| finding.message.ends_with(&format!(", and {one} is not declared"));
    Capability::ALL.iter().find(named).copied()
}

fn effect(problem: &Problem, manifest: &Manifest) -> Option<Remedy> {
    let details = problem.details.as_ref()?;
    let word = |name: &str| details.get(name).and_then(Value::as_str);
    match word("rule")? {
        "grant.hosts" => {
            let host = target(&problem.message, word("host")?);
            let slots = manifest.capabilities.http.as_ref().is_some_and(|http| !http.slots.is_empty());
            let declared = Remedy::Declare(Declaration::Http(host.clone()));
            Some(if slots { Remedy::Option(format!("--allow-host {host}")) } else { declared })
        }
        NETWORK_CLOSED | "secret.hosts" => {
            Some(Remedy::Option(format!("--allow-host {}", target(&problem.message, word("host")?))))
        }
        ADDRESS_CLOSED => {
            let range = word("allow_with")?.split('"').find_map(|part| network::range(part).ok())?;
            Some(Remedy::Option(format!("--allow-cidr {range}")))
        }
        "secret.place" => place(word("allow_with")?),
        rule => {
            let capability = Capability::ALL.iter().find(|one| rule == format!("capability:{one}"))?;
            Some(Remedy::Declare(Declaration::Capability(*capability)))
        }
    }
}

/// A name that does not resolve is no denial. It would be one, if the author has not named the host.
fn unresolved(message: &str, network: &Network) -> Option<Remedy> {
    let url = message.split_whitespace().find_map(|word| Url::parse(word.trim_end_matches(':')).ok())?;
    let target = RequestTarget {
        method: message.split(' ').next().unwrap_or_default(),
        tls: url.scheme() == "https",
        host: url.host_str()?,
        port: url.port_or_known_default()?,
        path: url.path(),
    };
    let option = format!("--allow-host {}", url.origin().ascii_serialization());
    (!network.names(&target)).then_some(Remedy::Option(option))
}

/// Scheme, host and port: the message has all of them, the details the host alone.
fn target(message: &str, host: &str) -> String {
    let words = message.split([' ', ',', ';']).map(|word| word.trim_end_matches([':', '.']));
    let mut targets = words.filter(|word| word.starts_with("https://") || word.starts_with("http://"));
    let about = |target: &&str| target.contains(host);
    targets.find(about).map_or_else(|| format!("https://{host}"), str::to_owned)
}

/// What the host says to declare: `"secrets": [{"name": …, "places": […]}] …`.
fn place(allow_with: &str) -> Option<Remedy> {
    #[derive(Deserialize)]
    struct Said {
        name: String,
        places: Vec<SecretPlace>,
    }
    let (from, to) = (allow_with.find('{')?, allow_with.rfind('}')?);
    let Said { name, places } = serde_json::from_str(allow_with.get(from..=to)?).ok()?;
    Some(Remedy::Declare(Declaration::Secret { name, places }))
}

/// The name stands in quotes.
fn secret(message: &str) -> Option<Remedy> {
    let name = message.split('"').nth(1)?.to_owned();
    Some(Remedy::Declare(if message.contains("capabilities.reveal") {
        Declaration::Reveal(name)
    } else {
        Declaration::Secret { name, places: vec![SecretPlace::Header] }
    }))
}

fn undeclared(message: &str) -> Option<Remedy> {
    let key = message.split_once(NOT_IN_MANIFEST)?.1.split('"').nth(1)?;
    let known = |one: &&Capability| match one {
        Capability::SecretsUse => key == "secrets",
        Capability::SecretsReveal => key == "reveal",
        other => key == other.as_str(),
    };
    let capability = Capability::ALL.iter().find(known)?;
    Some(Remedy::Declare(Declaration::Capability(*capability)))
}

/// Twice of what it had, as far as a host goes.
fn memory(manifest: &Manifest) -> Option<Remedy> {
    let SandboxOptions { memory_bytes_default, memory_bytes_ceiling, .. } = SandboxOptions::default();
    let had = manifest.memory_bytes_max.unwrap_or(memory_bytes_default);
    let more = had.saturating_mul(2).min(memory_bytes_ceiling);
    (more > had).then_some(Remedy::Declare(Declaration::Memory(more)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(manifest: &Value, code: &str, message: &str, details: Value, line: Option<&str>) {
        let manifest: Manifest = serde_json::from_value(manifest.clone()).unwrap();
        let problem = Problem { details: Some(details), ..Problem::new(code, message) };
        let told = remedies(&problem, &manifest, &Network::default());
        let told = told.first().map(|remedy| remedy.line(Form::Attribute, &manifest.capabilities));
        assert_eq!(told.as_deref(), line, "{code} {message}");
    }

    #[test]
    fn what_was_denied_is_told_as_what_allows_it() {
        let plain = json!({ "manifest_version": 1, "id": "a:b", "version": "1.0.0", "actions": [] });
        let denied = "the request to http://a.example:8080 was denied: no; and more";
        let rule = |rule: &str| json!({ "rule": rule, "host": "a.example" });
        let source = |key: &str| format!("allow it in the source: #[action({key})]");
        let secret =
            "the secret \"KEY\" is not in the grant; name it in capabilities.secrets of the manifest";
        let reveal = secret.replace("secrets of", "reveal of");
        let place = json!({ "rule": "secret.place", "allow_with": "\"secrets\": [{\"name\":\"K\",\"places\":[\"header\",\"body\"]}] there" });
        let address = json!({ "rule": ADDRESS_CLOSED, "allow_with": "unless { resource has host && resource.host == \"a.example\" && resource.address == ip(\"10.9.9.9\") }" });
        let range = json!({ "rule": ADDRESS_CLOSED, "allow_with": "egress.allow_cidrs = [\"10.0.0.0/8\"]" });
        let python = "RuntimeError: the manifest's capabilities do not have \"clock\": true (plugin.py:3)";
        for (code, message, details, line) in [
            ("effect-denied", denied, rule("grant.hosts"), source("http = \"http://a.example:8080\"")),
            ("effect-denied", "other words", rule("grant.hosts"), source("http = \"https://a.example\"")),
            (
                "effect-denied",
                denied,
                rule(NETWORK_CLOSED),
                "allow it with: --allow-host http://a.example:8080".to_owned(),
            ),
            ("effect-denied", denied, range, "allow it with: --allow-cidr 10.0.0.0/8".to_owned()),
            ("effect-denied", denied, address, "allow it with: --allow-cidr 10.9.9.9/32".to_owned()),
            (
                "http-dns",
                "GET https://a.example/x?y=1: no such name",
                Value::Null,
                "allow it with: --allow-host https://a.example".to_owned(),
            ),
            ("effect-denied", "", place, source("secrets(\"K\", in = \"header,body\")")),
            ("effect-denied", "", rule("capability:random"), source("random")),
            ("secret-undeclared", secret, Value::Null, source("secrets(\"KEY\")")),
            ("secret-undeclared", &reveal, Value::Null, source("reveal(\"KEY\")")),
            ("exception", python, Value::Null, source("clock")),
            ("memory-limit", "", Value::Null, source("memory_bytes_max = 134_217_728")),
        ] {
            check(&plain, code, message, details, Some(&line));
        }
        check(&plain, "http-404", denied, rule("grant.hosts"), None);
        check(&plain, "effect-denied", denied, rule("default-deny"), None);
    }

    #[test]
    fn what_is_at_its_bound_or_a_slot_is_not_declared_anew() {
        let mut manifest = json!({ "manifest_version": 1, "id": "a:b", "version": "1.0.0", "actions": [],
            "memory_bytes_max": 268_435_456, "capabilities": { "http": { "slots": ["s"] } } });
        check(&manifest, "memory-limit", "", Value::Null, None);
        manifest["memory_bytes_max"] = json!(200_000_000);
        let most = "allow it in the source: #[action(memory_bytes_max = 268_435_456)]";
        check(&manifest, "memory-limit", "", Value::Null, Some(most));
        let details = json!({ "rule": "grant.hosts", "host": "a.example" });
        let option = "allow it with: --allow-host https://a.example";
        check(&manifest, "effect-denied", "to https://a.example:", details, Some(option));
    }
}
