//! JSON Schema of a tenant's settings, for checks, editors and `schemas/tenant-settings.json`.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::limits::{
    BOUND_MAX, EXECUTIONS_QUEUED_DEFAULT, MEMORY_BYTES_LEAST, PRIORITY_HIGHEST, QUOTA_MAX, TARGET_CHARS_MAX,
    TARGETS_MAX, WEIGHT_DEFAULT, WEIGHT_MAX,
};
use super::recordings::Recordings;
use super::retention::{EXECUTIONS_DAYS_DEFAULT, EXECUTIONS_DAYS_MAX};
use crate::schema::Schema;
use crate::vocabulary::Environment;

pub(super) static SETTINGS: LazyLock<Schema> = LazyLock::new(|| {
    Schema::compile(&settings_schema())
        .expect("the schema of a tenant's settings compiles; a test holds it to that")
});

/// Draft 2020-12.
pub fn settings_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a tenant",
        "description": "What holds for the whole tenant. Every key may be left out and has its default then.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "targets": targets(), "limits": limits(), "retention": retention(), "recordings": recordings()
        }
    })
}

fn targets() -> Value {
    let classes: Vec<&str> = Environment::ALL.iter().map(|class| class.as_str()).collect();
    json!({
        "type": "object",
        "description": "What documents may name as their target, and the class of environment that it is. A target that \
                        is neither listed nor a class itself is production.",
        "maxProperties": TARGETS_MAX,
        "propertyNames": { "minLength": 1, "maxLength": TARGET_CHARS_MAX },
        "additionalProperties": { "enum": classes }
    })
}

fn limits() -> Value {
    let bound = |least: u32, description: &str| {
        json!({
            "type": ["integer", "null"], "minimum": least, "maximum": BOUND_MAX, "default": null,
            "description": description
        })
    };
    let quota = |least: u64, description: &str| {
        json!({
            "type": ["integer", "null"], "minimum": least, "maximum": QUOTA_MAX, "default": null,
            "description": description
        })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "executions_running_max": bound(1, "Executions that have begun and not ended; more wait. null: not bounded."),
            "executions_queued_max": {
                "type": "integer", "minimum": 0, "maximum": BOUND_MAX, "default": EXECUTIONS_QUEUED_DEFAULT,
                "description": "Executions that wait; over it a start is refused with 429."
            },
            "attempts_running_max": bound(1, "Attempts that run; more wait. null: as the host has it."),
            "plugin_attempts_max": {
                "type": "object", "maxProperties": TARGETS_MAX, "default": {},
                "description": "Attempts of one plugin that run, by its id; more wait.",
                "propertyNames": { "pattern": "^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*$" },
                "additionalProperties": { "type": "integer", "minimum": 1, "maximum": BOUND_MAX }
            },
            "weight": {
                "type": "integer", "minimum": 1, "maximum": WEIGHT_MAX, "default": WEIGHT_DEFAULT,
                "description": "Share of the host's attempts beside those of other tenants."
            },
            "priority_max": {
                "type": "integer", "minimum": 0, "maximum": PRIORITY_HIGHEST, "default": PRIORITY_HIGHEST,
                "description": "The highest priority that a start may ask for."
            },
            "attempts_per_day_max": quota(1, "Attempts that end in a day of UTC; then starts are refused and steps wait until it ends. null: not bounded."),
            "cpu_ms_per_day_max": quota(1, "Milliseconds of processor time in a day, likewise."),
            "sent_bytes_per_day_max": quota(1, "Bytes sent in a day, likewise."),
            "attempt_memory_bytes_max": quota(MEMORY_BYTES_LEAST, "Bytes of memory of one attempt, where the host's own bound is not smaller.")
        }
    })
}

fn recordings() -> Value {
    let words: Vec<&str> = Recordings::ALL.iter().map(|one| one.as_str()).collect();
    json!({
        "enum": words, "default": Recordings::default().as_str(),
        "description": "Which attempts are recorded, so that a plugin's author can make them again: none, those of \
                        executions that ask for it by the label quantum/record, or besides each one that fails."
    })
}

fn retention() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "executions_days": {
                "type": "integer", "minimum": 1, "maximum": EXECUTIONS_DAYS_MAX, "default": EXECUTIONS_DAYS_DEFAULT,
                "description": "Days from the end of an execution to its removal, with its log and its artifacts."
            },
            "archive": {
                "type": "boolean", "default": false,
                "description": "Write executions into the archive of the data directory before they are removed."
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_a_tenants_settings_compiles() {
        assert!(Schema::compile(&settings_schema()).is_ok());
    }
}
