//! The lines that would allow a use of a secret, and what a policy forbids. They work as they stand: what is set already
//! stands in them, because each of these commands replaces what was before.

use quantum_core::manifest::HostPattern;
use quantum_core::port::{Decision, OpenSecret};

/// Ids of the host's own policies begin so. Nobody can change those.
const OWN: [&str; 4] = ["guard.", "role.", "owner.", "runtime."];
/// The host's own policy about secrets that are over their time.
const EXPIRED: &str = "secrets.expired";
/// What needs no quotes in a shell, beside letters and digits.
const PLAIN: &str = "-_./:,=@%+";

/// Stores the secret again, for one more host.
pub(crate) fn host_line(secret: &OpenSecret, added: &str) -> String {
    let expires = secret.expires_at.map(|at| format!(" --expires {at}")).unwrap_or_default();
    format!("{}{expires}", set_line(secret, Some(added)))
}

/// What would let the policies allow the use of a secret; none when nothing does.
pub(crate) fn use_line(tenant: &str, secret: &OpenSecret, decision: &Decision) -> Option<String> {
    if decision.policies.iter().any(|id| id == EXPIRED) {
        return Some(format!("{} --expires TIME", set_line(secret, None)));
    }
    let OpenSecret { name, environment, .. } = secret;
    exception(decision, &format!("resource == Secret::\"{tenant}/{environment}/{name}\""))
}

/// The clause that takes something out of what the operator's policies forbid; none when one of them is the host's own,
/// or when none of them decided.
pub(crate) fn exception(decision: &Decision, thing: &str) -> Option<String> {
    let own = |id: &String| OWN.iter().any(|prefix| id.starts_with(prefix));
    if decision.policies.is_empty() || decision.policies.iter().any(own) {
        return None;
    }
    let ids: Vec<String> = decision.policies.iter().map(|id| format!("\"{id}\"")).collect();
    Some(format!("unless {{ {thing} }} at the end of the policy {} in policies_dir", ids.join(" and of ")))
}

/// As one word of a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c));
    if plain { word.to_owned() } else { format!("'{word}'") }
}

fn set_line(secret: &OpenSecret, added: Option<&str>) -> String {
    let OpenSecret { name, environment, hosts, .. } = secret;
    let hosts: Vec<String> = hosts
        .iter()
        .map(HostPattern::as_str)
        .chain(added)
        .map(|host| format!(" --host {}", quoted(host)))
        .collect();
    let hosts = if hosts.is_empty() { " --reveal-only".to_owned() } else { hosts.concat() };
    format!("quantum secret set {name} --environment {environment}{hosts}")
}
