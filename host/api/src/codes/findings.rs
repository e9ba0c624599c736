//! Codes of findings: what can be wrong inside a document, a manifest or a query. They come with a pointer and a
//! message, in `errors` of a problem or in `findings` of an answer. A test holds this list to what the rooms say.

/// A code and what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct FindingCode {
    pub code: &'static str,
    pub meaning: &'static str,
}

macro_rules! findings {
    ($($code:literal, $meaning:literal;)+) => {
        /// All of them, by code.
        pub static FINDINGS: &[FindingCode] = &[$(FindingCode { code: $code, meaning: $meaning }),+];
    };
}

findings! {
    "action-ambiguous", "several installed plugins have an action of this name; write namespace:name/action";
    "action-unknown", "no installed plugin has an action of this name";
    "blueprint", "the definition does not fit the blueprint of the intent's name";
    "blueprint-schema", "the schema of a blueprint is not a JSON Schema";
    "calls-itself", "an intent that executes itself would never end";
    "capability-undeclared", "the component imports what its manifest does not declare";
    "capability-unused", "the manifest declares what the component cannot use";
    "compensate-action", "what undoes a step is an action of a plugin";
    "config", "the configuration does not fit the schema of the plugin's manifest";
    "cron-line", "the line of a schedule cannot be read";
    "cron-never", "a schedule would never fire";
    "depends-on-order", "depends_on is for definitions with order: graph";
    "duration", "a length of time is a number of seconds, or a text such as 90s";
    "endpoint-ca", "the certificate authority of an endpoint is not PEM";
    "endpoint-host", "the name of an endpoint is a host, with a port when it is not the scheme's";
    "endpoint-url", "the address of an endpoint is scheme, host and port";
    "expression-limit", "an expression is longer or deeper than is evaluated";
    "expression-syntax", "an expression cannot be parsed";
    "expression-variable", "an expression names a variable that does not exist";
    "for-each-variable", "the name of a for_each element already means something";
    "host-not-declared", "a host was allowed that the plugin does not ask for";
    "import-denied", "the component imports what no plugin is granted; each call of it fails";
    "import-unknown", "the component imports what no host provides";
    "input", "the input does not fit the intent's input schema";
    "input-schema", "the intent's input is not a JSON Schema";
    "intent-name", "the name of an intent has a fixed form";
    "intent-unknown", "a schedule names an intent that does not exist, or that the caller may not view";
    "invalid-body", "a field of the body is unknown, or has a value that is not taken";
    "invalid-consent", "what the installer allows cannot be read";
    "invalid-parameter", "a parameter of the query is unknown, or has a value that is not taken";
    "invalid-secret", "a part of a secret cannot be stored as it is";
    "json-depth", "JSON is nested at most 64 levels";
    "manifest-action-name", "the name of an action is kebab-case and unique in its plugin";
    "manifest-actions", "a plugin has at least one action";
    "manifest-host", "a host pattern of the manifest cannot be read";
    "manifest-id", "the id of a plugin is namespace:name";
    "manifest-schema", "a schema of the manifest is not a JSON Schema";
    "manifest-secret", "the name of a secret in the manifest has a fixed form and is unique";
    "manifest-version", "a version of the manifest is not one that this host reads";
    "not-supported", "a word of the language that this host knows and does not run";
    "parameter-twice", "a parameter of a step is written inline and under parameters";
    "parameter-unknown", "a default of the settings is for a parameter that the action does not have";
    "parameters", "the parameters of a step do not fit the schema of its action";
    "payload", "the payload of a signal does not fit the schema of the step that waits for it";
    "plan-format", "the plan was written by a newer host";
    "plugin-entry", "the component does not export what a plugin exports";
    "schedule-label", "a label of a schedule is too long, one too many, or the host's own";
    "schedule-name", "the name of a schedule has a fixed form";
    "schedule-range", "a number or a time of a schedule lies outside of what is allowed";
    "schema", "the document does not fit schemas/intent.json";
    "secret-name", "the name of a secret is upper-case letters, digits and _";
    "secret-not-declared", "the settings name a secret that the plugin does not ask for";
    "settings", "the settings of an installation have a part that has no meaning there";
    "signal-schema", "the schema of a signal is not a JSON Schema";
    "slot-empty", "a slot of the plugin was filled with no host";
    "step-cycle", "steps wait for each other";
    "step-denied", "a policy would not let the step start for the caller";
    "step-id", "the id of a step has a fixed form";
    "step-id-twice", "two steps have one id";
    "step-key", "a key of a step looks like a misspelt one";
    "step-order", "an expression reads a step that cannot have run before";
    "step-unknown", "a step is named that does not exist";
    "tenant-settings", "the settings of a tenant do not fit schemas/tenant-settings.json";
    "time", "a time is RFC 3339, such as 2030-01-31T08:00:00Z";
    "time-zone", "a time zone is not in the IANA database";
    "timeout-range", "a timeout lies outside of what is allowed";
}
