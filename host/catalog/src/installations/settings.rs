//! What the installer filled in, held against what the plugin takes. All findings at once.

use quantum_core::expression::{Template, Variables};
use quantum_core::installation::{Endpoint, ParameterDefaults, Settings};
use quantum_core::json::pointer;
use quantum_core::manifest::{ActionManifest, HostPattern, Manifest, is_secret_name};
use quantum_core::problem::{Finding, nearest};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::Environment;
use serde_json::{Value, json};

/// Pointers are below `/settings`.
pub(super) fn check(manifest: &Manifest, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_layer(manifest, settings, "/settings", &mut findings);
    for (environment, own) in &settings.environments {
        let base = pointer("/settings/environments", environment);
        check_layer(manifest, own, &base, &mut findings);
        if !own.environments.is_empty() {
            let message = "an environment has no environments of its own";
            findings.push(Finding::error(pointer(&base, "environments"), "settings", message));
        }
    }
    check_config(manifest, settings, &mut findings);
    findings
}

fn check_layer(manifest: &Manifest, layer: &Settings, base: &str, findings: &mut Vec<Finding>) {
    check_secrets(manifest, layer, base, findings);
    let endpoints = pointer(base, "endpoints");
    for (host, endpoint) in &layer.endpoints {
        findings.extend(check_endpoint(host, endpoint, &pointer(&endpoints, host)));
    }
    for (at, rule) in layer.defaults.iter().enumerate() {
        check_defaults(manifest, rule, &pointer(&pointer(base, "defaults"), at), findings);
    }
}

/// In every environment what holds there fits. A plugin without a schema takes no configuration.
fn check_config(manifest: &Manifest, settings: &Settings, findings: &mut Vec<Finding>) {
    let Some(source) = &manifest.config else {
        let layers = std::iter::once(settings).chain(settings.environments.values());
        if layers.into_iter().any(|layer| !layer.config.is_empty()) {
            let message = format!("{} takes no configuration", manifest.id);
            findings.push(
                Finding::error("/settings/config", "config", message).hint("leave the configuration out"),
            );
        }
        return;
    };
    // A schema that does not compile was refused with the manifest.
    let Ok(schema) = Schema::compile(source) else { return };
    let base = Value::Object(settings.config.clone());
    findings.extend(schema.findings(&base, "/settings/config", "config"));
    for environment in settings.environments.keys() {
        let config = Value::Object(settings.of(*environment).config);
        findings.extend(schema.findings(&config, &config_of(*environment), "config"));
    }
}

fn config_of(environment: Environment) -> String {
    pointer(&pointer("/settings/environments", environment), "config")
}

fn check_secrets(manifest: &Manifest, layer: &Settings, base: &str, findings: &mut Vec<Finding>) {
    let used = manifest.capabilities.secrets.iter().map(|secret| &secret.name);
    let declared: Vec<&str> = used.chain(&manifest.capabilities.reveal).map(String::as_str).collect();
    for (name, stored) in &layer.secrets {
        let place = pointer(&pointer(base, "secrets"), name);
        if !declared.contains(&name.as_str()) {
            let message = format!("{} has no secret \"{name}\"", manifest.id);
            let finding = Finding::error(&place, "secret-not-declared", message);
            findings.push(finding.hint(known("it declares", &declared, name)));
        }
        if !is_secret_name(stored) {
            let message = format!("\"{stored}\" is not a secret's name");
            findings.push(
                Finding::error(place, "secret-name", message)
                    .hint("names are upper-case letters, digits and _, for example REGISTRY_PASSWORD"),
            );
        }
    }
}

/// The host is written as requests name it; the URL as a host pattern without a path.
fn check_endpoint(host: &str, endpoint: &Endpoint, place: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if HostPattern::parse(&format!("https://{host}")).is_err() || host.contains(['/', '*']) {
        let message = format!("\"{host}\" is not a host");
        findings.push(
            Finding::error(place, "endpoint-host", message)
                .hint("write for example azurecr.io or 10.0.0.1:6443"),
        );
    }
    if let Some(url) = &endpoint.url {
        let rest = url.split_once("://").map(|(_, rest)| rest.trim_end_matches('/'));
        let plain = rest.is_some_and(|rest| !rest.contains(['/', '*']));
        if !plain || HostPattern::parse(url).is_err() {
            let message = format!("\"{url}\" is not the address of a host");
            let finding = Finding::error(pointer(place, "url"), "endpoint-url", message);
            findings.push(finding.hint("write scheme, host and port, for example http://127.0.0.1:5000"));
        }
    }
    if endpoint.ca.as_ref().is_some_and(|ca| !ca.contains("-----BEGIN CERTIFICATE-----")) {
        let message = "no certificate in PEM is in it";
        let finding = Finding::error(pointer(place, "ca"), "endpoint-ca", message);
        findings.push(finding.hint("it starts with -----BEGIN CERTIFICATE-----"));
    }
    findings
}

fn check_defaults(manifest: &Manifest, rule: &ParameterDefaults, place: &str, findings: &mut Vec<Finding>) {
    let Some(action) = manifest.action(&rule.action) else {
        let names: Vec<&str> = manifest.actions.iter().map(|action| action.name.as_str()).collect();
        let message = format!("{} has no action \"{}\"", manifest.id, rule.action);
        let finding = Finding::error(pointer(place, "action"), "action-unknown", message);
        findings.push(finding.hint(known("it has", &names, &rule.action)));
        return;
    };
    let parameters = pointer(place, "parameters");
    for (name, value) in &rule.parameters {
        let at = pointer(&parameters, name);
        findings.extend(check_parameter(action, name, &at));
        if let Err(wrong) = Template::compile(value, &at, Variables::RUNNING) {
            findings.extend(wrong);
        }
    }
}

fn check_parameter(action: &ActionManifest, name: &str, place: &str) -> Option<Finding> {
    let none = json!({});
    let properties = action.parameters.get("properties").unwrap_or(&none).as_object()?;
    let closed = action.parameters.get("additionalProperties") == Some(&Value::Bool(false));
    if !closed || properties.contains_key(name) {
        return None;
    }
    let message = format!("the action \"{}\" has no parameter \"{name}\"", action.name);
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    Some(Finding::error(place, "parameter-unknown", message).hint(known("it takes", &names, name)))
}

fn known(what: &str, names: &[&str], written: &str) -> String {
    match nearest(written, names.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if names.is_empty() => format!("{what} none"),
        None => format!("{what}: {}", names.join(", ")),
    }
}
