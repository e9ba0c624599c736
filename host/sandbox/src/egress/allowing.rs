//! The line that would allow what was denied. It must work as it stands: what is allowed already stands in it, because
//! each of these settings replaces the one before.

use ipnet::IpNet;
use quantum_core::manifest::HostPattern;
use quantum_core::port::ActionEntry;
use quantum_core::vocabulary::Trust;
use serde_json::json;

use super::target::Target;
use crate::secret::quoted;

/// Characters of a path that is repeated in a pattern. Over it the pattern is for the whole host.
const PATH_CHARS_MAX: usize = 200;

/// A plugin with a slot is allowed hosts by the operator when it comes with the host, and else by whoever installs it;
/// one without a slot by its own manifest only.
pub(super) fn host_line(method: &str, target: &Target, action: &ActionEntry) -> String {
    let hosts = action.grant.hosts.iter().map(HostPattern::as_str);
    let added = pattern(method, target, &action.grant.hosts);
    if action.grant.slots.is_empty() {
        let hosts: Vec<&str> = hosts.chain([added.as_str()]).collect();
        return format!("\"hosts\": {} under \"capabilities.http\" of the plugin's manifest", json!(hosts));
    }
    match (action.trust, action.plugin.split_once(':')) {
        (Trust::Builtin, Some((_, name))) => {
            let hosts: Vec<&str> = hosts.chain([added.as_str()]).collect();
            format!("plugins.{name}.allow_hosts = {} in quantum.toml", json!(hosts))
        }
        _ => format!("quantum plugin configure {}{}", action.plugin, flags(hosts.chain([added.as_str()]))),
    }
}

/// What brings a plugin back that was uninstalled.
pub(super) fn install_line(action: &ActionEntry) -> String {
    let slots = !action.grant.slots.is_empty();
    let hosts = action.grant.hosts.iter().map(HostPattern::as_str).filter(|_| slots);
    format!("quantum plugin install FILE{}", flags(hosts))
}

/// The ranges that the operator allows, with one more.
pub(super) fn range_line(allowed: &[IpNet], range: &IpNet) -> String {
    let ranges: Vec<String> = allowed.iter().chain([range]).map(IpNet::to_string).collect();
    format!("egress.allow_cidrs = {}", json!(ranges))
}

fn flags<'a>(hosts: impl Iterator<Item = &'a str>) -> String {
    hosts.map(|host| format!(" --allow-host {}", quoted(host))).collect()
}

/// The narrowest pattern that is sure to allow it: what is allowed of the host with one method more, this path, or the
/// whole host.
pub(super) fn pattern(method: &str, target: &Target, hosts: &[HostPattern]) -> String {
    let request = target.request(method);
    let named = hosts.iter().filter(|pattern| pattern.names_host(&request));
    if named.clone().next().is_none() {
        return target.to_string();
    }
    let widened = named.filter_map(|pattern| pattern.with_method(method).ok());
    let short = target.path.chars().count() <= PATH_CHARS_MAX;
    let path = if short { target.path.as_str() } else { "" };
    let narrow = [format!("{method} {target}{path}"), format!("{method} {target}")];
    let narrow = narrow.iter().filter_map(|text| HostPattern::parse(text).ok());
    let works = widened.chain(narrow).find(|pattern| pattern.allows(&request));
    works.map_or_else(|| target.to_string(), |pattern| pattern.to_string())
}
