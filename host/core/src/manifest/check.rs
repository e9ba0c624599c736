//! What every manifest must hold, whoever wrote it. All findings at once.

use std::collections::HashSet;

use super::{HostPattern, MANIFEST_VERSION, Manifest};
use crate::problem::Finding;
use crate::schema::Schema;

/// Actions of one plugin. Over it the manifest is refused.
const ACTIONS_MAX: usize = 100;
/// Characters of an id, a version or an action's name.
const NAME_CHARS_MAX: usize = 63;

impl Manifest {
    /// Everything that is wrong with it; empty when it can be installed.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.manifest_version != MANIFEST_VERSION {
            let message = format!("manifest version {} is not {MANIFEST_VERSION}", self.manifest_version);
            findings.push(Finding::error("/manifest_version", "manifest-version", message));
        }
        if !is_plugin_id(&self.id) {
            let message = format!("\"{}\" is not namespace:name in kebab-case", self.id);
            findings
                .push(Finding::error("/id", "manifest-id", message).hint("write for example acme:greeter"));
        }
        if !is_version(&self.version) {
            let message = format!("\"{}\" is not an exact semantic version", self.version);
            findings.push(
                Finding::error("/version", "manifest-version", message).hint("write for example 1.0.0"),
            );
        }
        self.check_actions(&mut findings);
        self.check_hosts(&mut findings);
        self.check_secrets(&mut findings);
        findings
    }

    fn check_actions(&self, findings: &mut Vec<Finding>) {
        if self.actions.is_empty() || self.actions.len() > ACTIONS_MAX {
            let message = format!("a plugin has 1 to {ACTIONS_MAX} actions, this one {}", self.actions.len());
            findings.push(Finding::error("/actions", "manifest-actions", message));
        }
        let mut names = HashSet::new();
        for (at, action) in self.actions.iter().enumerate() {
            for name in std::iter::once(&action.name).chain(&action.aliases) {
                if !is_kebab(name) {
                    let message = format!("the action name \"{name}\" is not kebab-case");
                    findings.push(Finding::error(
                        format!("/actions/{at}/name"),
                        "manifest-action-name",
                        message,
                    ));
                }
                if !names.insert(name.as_str()) {
                    let message = format!("the action name \"{name}\" is used twice");
                    findings.push(Finding::error(
                        format!("/actions/{at}/name"),
                        "manifest-action-name",
                        message,
                    ));
                }
            }
            for (key, schema) in [("parameters", &action.parameters), ("result", &action.result)] {
                if let Err(reason) = Schema::compile(schema) {
                    let message = format!("the JSON Schema of {key} of \"{}\": {reason}", action.name);
                    findings.push(Finding::error(format!("/actions/{at}/{key}"), "manifest-schema", message));
                }
            }
        }
    }

    fn check_secrets(&self, findings: &mut Vec<Finding>) {
        let used = self.capabilities.secrets.iter().map(|secret| ("secrets", &secret.name));
        let revealed = self.capabilities.reveal.iter().map(|name| ("reveal", name));
        let mut names = HashSet::new();
        for (list, name) in used.chain(revealed) {
            let mut refuse = |message: String| {
                let finding = Finding::error(format!("/capabilities/{list}"), "manifest-secret", message);
                findings.push(finding.hint("write for example API_TOKEN, once"));
            };
            if !is_secret_name(name) {
                refuse(format!("\"{name}\" is not a secret's name: upper-case letters, digits and _"));
            }
            if !names.insert((list, name)) {
                refuse(format!("the secret \"{name}\" is named twice"));
            }
        }
        if self.capabilities.secrets.iter().any(|secret| secret.places.is_empty()) {
            let message = "a secret that is used has a place: header, query or body";
            findings.push(Finding::error("/capabilities/secrets", "manifest-secret", message));
        }
    }

    fn check_hosts(&self, findings: &mut Vec<Finding>) {
        let Some(http) = &self.capabilities.http else { return };
        for (at, host) in http.hosts.iter().enumerate() {
            if let Err(error) = HostPattern::parse(host) {
                let pointer = format!("/capabilities/http/hosts/{at}");
                findings.push(Finding::error(pointer, "manifest-host", error.to_string()));
            }
        }
        if http.hosts.is_empty() && http.slots.is_empty() {
            let message = "http is declared with neither hosts nor slots";
            findings.push(Finding::error("/capabilities/http", "manifest-host", message));
        }
    }
}

/// `verify-deployment`: what plugins, their namespaces and actions are called.
pub fn is_kebab(name: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(word)
}

/// `API_TOKEN`: what plugins and tenants call secrets.
pub fn is_secret_name(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    name.len() <= NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(letters)
}

fn is_plugin_id(id: &str) -> bool {
    id.split_once(':').is_some_and(|(namespace, name)| is_kebab(namespace) && is_kebab(name))
}

/// `1.2.3` or `1.2.3-rc.1`, without build metadata.
fn is_version(version: &str) -> bool {
    let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
    let numbers: Vec<&str> = core.split('.').collect();
    let numeric = |n: &&str| n.parse::<u64>().is_ok() && (n.len() == 1 || !n.starts_with('0'));
    let pre_ok =
        |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    version.len() <= NAME_CHARS_MAX
        && numbers.len() == 3
        && numbers.iter().all(numeric)
        && pre.is_none_or(pre_ok)
}
