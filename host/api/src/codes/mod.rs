//! Every code of a problem, once: its status, title, and what to do about it. Handlers name these constants, so that
//! no answer can carry a code that is not listed here.

mod findings;

pub use findings::{FINDINGS, FindingCode};

/// One kind of problem. `hint` is what to do when the problem itself has nothing better to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Kebab-case; the last segment of `type`, and the name of the page in docs/errors.
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub hint: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $hint:literal;)+) => {
        $(pub static $name: Code = Code { code: $code, status: $status, title: $title, hint: $hint };)+
        /// All of them, in the order of this file.
        pub static ALL: &[&Code] = &[$(&$name),+];
    };
}

codes! {
    // The request as HTTP.
    NO_SUCH_ROUTE = "no-such-route", 404, "No such route", "the routes are listed in /api/v1/openapi.json";
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, "Method not allowed", "the Allow header lists the methods of this route";
    NOT_ACCEPTABLE = "not-acceptable", 406, "Not acceptable", "leave out Accept, or accept application/json";
    HOST_HEADER = "host-header", 400, "Bad Host header", "send exactly one Host header";
    URI_TOO_LONG = "uri-too-long", 414, "URI too long", "send what is long in the body";
    MEDIA_TYPE = "media-type", 415, "Media type not supported", "send a body with Content-Type: application/json";
    BODY_TOO_LARGE = "body-too-large", 413, "Body too large", "send less; what is large belongs into an artifact";
    BODY_TIMEOUT = "body-timeout", 408, "Body too slow", "send the whole body within 30 seconds";
    BODY_INCOMPLETE = "body-incomplete", 400, "Body incomplete", "send the whole body";
    TIMED_OUT = "timed-out", 503, "Timed out", "try again; a change may have been made, so use an Idempotency-Key";
    // The body and the parameters.
    MALFORMED_JSON = "malformed-json", 400, "Malformed JSON", "correct the body at the given line and column";
    DUPLICATE_KEY = "duplicate-key", 400, "Duplicate key", "write each key once";
    JSON_DEPTH = "json-depth", 422, "JSON too deep", "nest at most 64 levels";
    INVALID_BODY = "invalid-body", 422, "Invalid body", "each entry of errors says where and what would be accepted";
    INVALID_PARAMETER = "invalid-parameter", 422, "Invalid parameter", "each entry of errors says what would be accepted";
    INVALID_PAGE_TOKEN = "invalid-page-token", 400, "Invalid page token", "start again without page_token, or repeat the filter that the token was made for";
    IF_MATCH_REQUIRED = "if-match-required", 428, "If-Match required", "send If-Match with the ETag that you read, or *";
    IF_MATCH_MALFORMED = "if-match-malformed", 400, "Malformed If-Match", "send one ETag as you read it, such as \"3\", or *";
    REVISION_CONFLICT = "revision-conflict", 412, "Changed by somebody else", "read it again, repeat the change and send its new ETag";
    IDEMPOTENCY_KEY_MALFORMED = "idempotency-key-malformed", 400, "Malformed Idempotency-Key", "send 1 to 255 visible ASCII characters, for example a UUID";
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch", 422, "Idempotency-Key used for another request", "use a new key for a new request";
    // Who asks, and what they may.
    TOKEN_MISSING = "token-missing", 401, "Authentication required", "send Authorization: Bearer TOKEN; make a token with quantum token create";
    TOKEN_MALFORMED = "token-malformed", 401, "Malformed token", "send one Authorization header: Bearer and a signed JWT";
    TOKEN_INVALID = "token-invalid", 401, "Invalid token", "make a token with quantum token create, or ask your issuer for one";
    TOKEN_CLAIMS = "token-claims", 401, "Token not meant for this host", "ask your issuer for a token with the right claims";
    TOKEN_EXPIRED = "token-expired", 401, "Token expired", "make a new token";
    TOKEN_NOT_YET_VALID = "token-not-yet-valid", 401, "Token not valid yet", "check the clocks of this host and of the issuer";
    PRINCIPAL_UNKNOWN = "principal-unknown", 401, "Not a member", "ask an administrator of the tenant for a membership";
    TENANT_REQUIRED = "tenant-required", 400, "Tenant required", "name one of your tenants with X-Tenant-ID";
    PLATFORM_TOKEN_NEEDED = "platform-token-needed", 403, "Token of a platform administrator needed", "quantum token create --user NAME --role platformAdmin, without a tenant";
    FORBIDDEN = "forbidden", 403, "Forbidden", "ask an administrator of the tenant; the decision_id names the decision";
    NOT_FOUND = "not-found", 404, "Not found", "list what is there";
    // Intents.
    INVALID_DOCUMENT = "invalid-document", 422, "Invalid document", "each entry of errors says where and what would be accepted";
    DOCUMENT_TOO_LARGE = "document-too-large", 413, "Document too large", "put what is large into an artifact";
    NAME_TAKEN = "name-taken", 409, "Name taken", "choose another name, or change the intent with PUT";
    NAME_DIFFERS = "name-differs", 422, "Name differs", "an intent keeps its name";
    INTENT_ARCHIVED = "intent-archived", 409, "Intent archived", "create an intent under another name";
    INTENT_PAUSED = "intent-paused", 409, "Intent paused", "resume it";
    NO_STEPS = "no-steps", 409, "No steps", "add steps to the definition, or store a blueprint of the intent's name";
    NO_ACTIVE_VERSION = "no-active-version", 409, "No active version", "activate a version";
    BUSY = "busy", 409, "Busy", "try again";
    // Executions.
    INVALID_INPUT = "invalid-input", 422, "Invalid input", "each entry of errors says where and what would be accepted";
    EXECUTION_ENDED = "execution-ended", 409, "Execution ended", "an execution that has ended does not change any more";
    CANCEL_REQUESTED = "cancel-requested", 409, "Cancel requested already", "follow its events until it has ended";
    EXECUTION_COMPENSATING = "execution-compensating", 409, "Execution compensating", "follow its events; it ends by itself";
    EXECUTION_NOT_RUNNING = "execution-not-running", 409, "Execution not running", "GET the execution: status and waits_for say how it stands";
    EXECUTION_NOT_PAUSED = "execution-not-paused", 409, "Execution not paused", "GET the execution: status says how it stands";
    SIGNAL_NOT_EXPECTED = "signal-not-expected", 409, "No step waits for this signal", "GET the execution: waits_for names the signals that it waits for";
    SIGNAL_INVALID = "signal-invalid", 422, "Payload does not fit", "each entry of errors says where and what would be accepted";
    APPROVAL_NOT_EXPECTED = "approval-not-expected", 409, "No single step waits for this approval", "GET the execution: waits_for names the steps; send the step's id as step";
    APPROVAL_BY_REQUESTER = "approval-by-requester", 403, "Own execution", "ask somebody else to approve it";
    APPROVAL_TWICE = "approval-twice", 409, "Approved already", "each person counts once; ask somebody else";
    NOT_RESTARTABLE = "not-restartable", 409, "Cannot be restarted", "replay it: POST /executions/{id}/replay makes a new execution";
    NOT_REPLAYABLE = "not-replayable", 409, "Cannot be replayed", "choose another step or version, or install the plugin again";
    CONCURRENCY_LIMIT = "concurrency-limit", 409, "As many run as may", "wait until one has ended, or let the intent queue: concurrency.on_limit";
    BACKLOG_FULL = "backlog-full", 429, "As many wait as may", "try again after the time in Retry-After";
    QUOTA_USED_UP = "quota-used-up", 429, "Quota of the day used up", "wait until it starts anew, or ask an administrator to raise it: quantum settings set";
    // Tenants, users, plugins.
    TENANT_EXISTS = "tenant-exists", 409, "Tenant exists", "use it, or choose another id";
    INVALID_SETTINGS = "invalid-settings", 422, "Invalid settings", "each entry of errors says where and what would be accepted";
    UNKNOWN_ROLE = "unknown-role", 422, "Unknown role", "roles: viewer, author, operator, publisher, admin, sre";
    ROLE_NOT_ASSIGNABLE = "role-not-assignable", 422, "Role not assignable", "platformAdmin is of the host, not of a tenant: quantum token create --role platformAdmin";
    INVALID_PLUGIN = "invalid-plugin", 422, "Not a plugin for this host", "build it with quantum plugin build";
    COMPILE_TIMEOUT = "compile-timeout", 422, "Component takes too long to compile", "build it with opt-level \"s\" and split what is large, or ask the operator to raise sandbox.compile_ms_max";
    COMPILE_MEMORY = "compile-memory", 422, "Component takes too much memory to compile", "build it with opt-level \"s\" and split what is large, or ask the operator to raise sandbox.compile_memory_bytes_max";
    COMPILER_CRASHED = "compiler-crashed", 422, "Compiler crashed", "build it with another version of its toolchain, and report it together with the component";
    PLUGIN_DOES_NOT_START = "plugin-does-not-start", 422, "Plugin does not start", "try it with quantum plugin run; each attempt would fail as this start did";
    INVALID_MANIFEST = "invalid-manifest", 422, "Invalid manifest", "correct it and build again: quantum plugin build";
    INVALID_CONSENT = "invalid-consent", 422, "Invalid consent", "each entry of errors says what to type";
    CONSENT_NEEDED = "consent-needed", 409, "Consent needed", "read what is new; to agree, add accept_gains=true";
    VERSION_TAKEN = "version-taken", 409, "Version taken", "raise the version: a plugin in Rust has it in its Cargo.toml, others in their manifest";
    PLUGIN_BUNDLED = "plugin-bundled", 409, "Bundled plugin", "the operator's configuration says which plugins come with the host";
    // Artifacts and secrets.
    ARTIFACT_TOO_LARGE = "artifact-too-large", 413, "Artifact too large", "store it in parts, or ask the operator for a larger limit";
    INVALID_NAME = "invalid-name", 422, "Invalid name", "names are such as ./app, myapp:latest or reports/today.json";
    INVALID_SECRET = "invalid-secret", 422, "Invalid secret", "each entry of errors says where and what would be accepted";
    QUOTA = "quota", 409, "Quota reached", "remove what is not needed any more";
    // Schedules.
    INVALID_SCHEDULE = "invalid-schedule", 422, "Invalid schedule", "each entry of errors says where and what would be accepted";
    SCHEDULE_EXISTS = "schedule-exists", 409, "Schedule exists", "replace it with PUT, or choose another name";
    // The host.
    UNAVAILABLE = "unavailable", 503, "Not available now", "try again after the time in Retry-After";
    STORE_UNAVAILABLE = "store-unavailable", 503, "Store not available", "try again later; the host's log says why";
    INTERNAL = "internal", 500, "Internal error", "report it with the request_id; the host's log has the cause";
}

/// The code of this name.
pub fn find(code: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_kebab_case_listed_once_and_says_what_to_do() {
        let mut seen = HashSet::new();
        for code in ALL {
            assert!(seen.insert(code.code), "{} is listed twice", code.code);
            assert!(code.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", code.code);
            assert!((400..=503).contains(&code.status) && !code.hint.is_empty(), "{}", code.code);
        }
    }
}
