//! The document of a tenant's settings. Every key may be left out; what is left out has its default.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Targets;
use super::limits::TenantLimits;
use super::recordings::Recordings;
use super::retention::Retention;
use super::schema::SETTINGS;
use crate::json::pointer;
use crate::problem::Finding;
use crate::vocabulary::Environment;

/// What holds in a tenant. Keys that this program does not know are passed over when stored settings are read: a newer
/// one may have written them. `check` refuses them where people write them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantSettings {
    pub targets: Targets,
    pub limits: TenantLimits,
    pub retention: Retention,
    pub recordings: Recordings,
}

impl TenantSettings {
    /// Everything that is wrong with a written document. None: it can be stored.
    pub fn check(source: &Value) -> Vec<Finding> {
        let mut findings = SETTINGS.findings(source, "", "tenant-settings");
        let targets = source.get("targets").and_then(Value::as_object);
        let classes = targets.into_iter().flatten().filter(|(name, _)| Environment::parse(name).is_some());
        findings.extend(classes.map(|(name, _)| own_class(name)));
        findings
    }
}

/// Documents that say `production` mean production, whatever the map says: an entry for it would only look like it did
/// something.
fn own_class(name: &str) -> Finding {
    let message = format!("\"{name}\" is a class of environment itself, and always means that one");
    Finding::error(pointer("/targets", name), "tenant-settings", message)
        .hint("map names of your own, such as \"prod-eu\": \"production\"")
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    fn check(source: Value) -> Vec<(String, Option<String>)> {
        let findings = TenantSettings::check(&source);
        findings.into_iter().map(|finding| (finding.pointer, finding.hint)).collect()
    }

    #[test]
    fn every_key_may_be_left_out() {
        assert_eq!(check(json!({})), []);
        let read: TenantSettings = from_value(json!({ "limits": { "weight": 3 } })).unwrap();
        assert_eq!((read.limits.weight, read.limits.executions_queued_max), (3, 10_000));
        assert_eq!((read.retention.executions_days, read.retention.archive), (30, false));
    }

    #[test]
    fn the_settings_as_they_are_shown_can_be_written_back() {
        let shown = to_value(TenantSettings::default()).unwrap();
        assert_eq!(check(shown.clone()), []);
        assert_eq!(from_value::<TenantSettings>(shown).unwrap(), TenantSettings::default());
    }

    #[test]
    fn what_a_newer_program_stored_is_read() {
        let read = from_value::<TenantSettings>(json!({ "calendars": {}, "retention": { "logs_days": 7 } }));
        assert_eq!(read.unwrap(), TenantSettings::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let near = check(json!({ "limits": { "wieght": 2 } }));
        assert_eq!(near, [("/limits/wieght".into(), Some("did you mean \"weight\"?".into()))]);
        for (wrong, place) in [
            (json!({ "targets": { "prod-eu": "prod" } }), "/targets/prod-eu"),
            (json!({ "targets": { "": "test" } }), "/targets"),
            (json!({ "targets": { "production": "development" } }), "/targets/production"),
            (json!({ "limits": { "weight": 0 } }), "/limits/weight"),
            (json!({ "limits": { "weight": 101 } }), "/limits/weight"),
            (json!({ "limits": { "priority_max": 10 } }), "/limits/priority_max"),
            (json!({ "limits": { "executions_running_max": 0 } }), "/limits/executions_running_max"),
            (json!({ "limits": { "plugin_attempts_max": { "http": 1 } } }), "/limits/plugin_attempts_max"),
            (json!({ "limits": { "cpu_ms_per_day_max": 0 } }), "/limits/cpu_ms_per_day_max"),
            (json!({ "limits": { "attempt_memory_bytes_max": 4096 } }), "/limits/attempt_memory_bytes_max"),
            (json!({ "retention": { "executions_days": 0 } }), "/retention/executions_days"),
            (json!({ "retention": { "executions_days": 1.5 } }), "/retention/executions_days"),
            (json!({ "retention": { "archive": "yes" } }), "/retention/archive"),
            (json!({ "recordings": "always" }), "/recordings"),
            (json!([]), ""),
        ] {
            assert_eq!(check(wrong.clone()).first().map(|(at, _)| at.as_str()), Some(place), "{wrong}");
        }
    }
}
