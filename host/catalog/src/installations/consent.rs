//! The grant: what the plugin declares and the installer allows.

use quantum_core::installation::Settings;
use quantum_core::json::pointer;
use quantum_core::manifest::{HostPattern, HttpDeclaration, Manifest};
use quantum_core::port::Grant;
use quantum_core::problem::Finding;

use super::{Consent, settings};
use crate::directory::InstalledPlugin;

/// What one installation may do, and how it is configured.
#[derive(Debug)]
pub(super) struct Terms {
    pub grant: Grant,
    pub settings: Settings,
}

/// `own`: the tenant's version before, whose answers hold where the installer gives none. Err: what is wrong with the
/// consent, with pointers into it.
pub(super) fn agree(
    manifest: &Manifest,
    consent: &Consent,
    own: Option<&InstalledPlugin>,
) -> Result<Terms, Vec<Finding>> {
    let mut findings = Vec::new();
    let hosts = hosts(manifest, consent, own, &mut findings);
    let settings = consent.settings.clone().or_else(|| own.map(|own| own.settings.written().clone()));
    let settings = settings.unwrap_or_default();
    findings.extend(settings::check(manifest, &settings));
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(Terms { grant: grant(manifest, hosts), settings })
}

/// What the plugin declares, with the hosts that were agreed on.
pub fn grant(manifest: &Manifest, hosts: Vec<HostPattern>) -> Grant {
    let declared = &manifest.capabilities;
    Grant {
        capabilities: declared.declared(),
        hosts,
        slots: declared.http.as_ref().map(|http| http.slots.clone()).unwrap_or_default(),
        secrets: declared.secrets.clone(),
        reveal: declared.reveal.clone(),
        response_bytes_max: declared.http.as_ref().and_then(|http| http.response_bytes_max),
        memory_bytes_max: manifest.memory_bytes_max,
    }
}

/// The fixed hosts, and those that fill the slots.
fn hosts(
    manifest: &Manifest,
    consent: &Consent,
    own: Option<&InstalledPlugin>,
    findings: &mut Vec<Finding>,
) -> Vec<HostPattern> {
    let none = HttpDeclaration::default();
    let http = manifest.capabilities.http.as_ref().unwrap_or(&none);
    let fixed = fixed_hosts(http);
    let fills = match own {
        Some(own) if consent.hosts.is_empty() && !http.slots.is_empty() => filled_hosts(own),
        _ => consent.hosts.clone(),
    };
    if http.slots.is_empty() {
        for (at, host) in fills.iter().enumerate().filter(|(_, host)| !fixed.contains(host)) {
            findings.push(not_declared(manifest, at, host, &fixed));
        }
    } else if fills.is_empty() {
        let message = format!("nothing is allowed for: {}", http.slots.join(", "));
        let hint =
            "say which hosts it may call: --allow-host URL, for example --allow-host https://api.example.com";
        findings.push(Finding::error("/hosts", "slot-empty", message).hint(hint));
    }
    let mut hosts = fixed;
    for fill in fills {
        if !hosts.contains(&fill) {
            hosts.push(fill);
        }
    }
    hosts
}

/// Patterns that do not parse were refused with the manifest.
fn fixed_hosts(http: &HttpDeclaration) -> Vec<HostPattern> {
    http.hosts.iter().filter_map(|host| HostPattern::parse(host).ok()).collect()
}

/// What fills its slots.
pub(super) fn filled_hosts(own: &InstalledPlugin) -> Vec<HostPattern> {
    let fixed = own.manifest.capabilities.http.as_ref().map(fixed_hosts).unwrap_or_default();
    own.grant.hosts.iter().filter(|host| !fixed.contains(host)).cloned().collect()
}

fn not_declared(manifest: &Manifest, at: usize, host: &HostPattern, fixed: &[HostPattern]) -> Finding {
    let message = format!("{} has no slot that \"{host}\" could fill", manifest.id);
    let finding = Finding::error(pointer("/hosts", at), "host-not-declared", message);
    let only = fixed.iter().map(HostPattern::as_str).collect::<Vec<_>>().join(", ");
    finding.hint(match fixed {
        [] => "it makes no requests: leave --allow-host out".to_owned(),
        _ => format!("leave --allow-host out: it may call {only} and nothing else"),
    })
}
