//! The limits that the author's guide tells, `docs/plugin-author.md`, are those of the sandbox; and there is none that it
//! does not tell, but for those that no author can meet.

use std::collections::BTreeSet;
use std::path::Path;

use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_sandbox::egress_limits as egress;
use quantum_sandbox::limits::*;

/// What a row of the guide's tables begins with, what its bound must tell, and the constants behind it.
type Row = (&'static str, String, &'static [&'static str]);

/// Bounds of the host and its operator: whoever writes a plugin never meets them.
const NOT_TOLD: &[&str] = &[
    // Of all attempts, plugins and compilers together: who comes later waits.
    "ATTEMPTS_MAX",
    "MEMORIES_PER_PLACE",
    "TABLES_PER_PLACE",
    "KEEP_RESIDENT_BYTES",
    "SMALLER_POOL",
    "COMPONENTS_MAX",
    "CACHE_BYTES_MAX",
    "COMPILES_MAX",
    "COMPILE_THREADS_MAX",
    "COMPILER_FILES_MAX",
    "COMPILER_WORDS_BYTES_MAX",
    "LOOKUPS_PER_TENANT_MAX",
    "LOOKUPS_MAX",
    "IDLE_PER_KEY_MAX",
    "IDLE_MAX",
    "IDLE_TIME_MAX",
    "READY_TIME_MAX",
    // Of a component that is not tried, or suspended: the error pages tell them.
    "REFUSED_MS",
    "SUSPENDED_MS_FIRST",
    "SUSPENDED_MS_LAST",
    "BROKEN_MAX",
    // What is stored has a narrower bound in the catalog, which the guide tells.
    "VALUE_BYTES_MAX",
    "ARTIFACT_WORD_BYTES_MAX",
    // A library writes the rest with its next call.
    "STREAM_WRITE_BYTES_MAX",
    // The host's own log, and how far it looks.
    "DENIAL_BYTES_MAX",
    "ADDRESSES_MAX",
];

/// `16 MiB`, in the largest unit that is whole.
fn size(bytes: impl TryInto<u64>) -> String {
    let bytes = bytes.try_into().unwrap_or_default();
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| bytes >= *unit && bytes % unit == 0);
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{} {name}", bytes / unit))
}

/// `20 000`.
fn count(number: impl TryInto<u64>) -> String {
    let number = number.try_into().unwrap_or_default();
    if number < 1_000 { number.to_string() } else { format!("{} {:03}", number / 1_000, number % 1_000) }
}

fn seconds(ms: u64) -> String {
    format!("{} s", ms / 1_000)
}

fn of_an_attempt() -> Vec<Row> {
    let modules = [CORE_INSTANCES_PER_COMPONENT_MAX, MEMORIES_PER_COMPONENT_MAX, TABLES_PER_COMPONENT_MAX];
    let [instances, memories, tables] = modules;
    vec![
        ("processor time", seconds(CPU_MS_MAX), &["CPU_MS_MAX"]),
        (
            "memories and tables, all together",
            format!("{}; up to {}", size(MEMORY_BYTES_DEFAULT), size(MEMORY_BYTES_CEILING)),
            &["MEMORY_BYTES_DEFAULT", "MEMORY_BYTES_CEILING"],
        ),
        (
            "core modules, memories, tables",
            format!("{instances}, {memories}, {tables}"),
            &["CORE_INSTANCES_PER_COMPONENT_MAX", "MEMORIES_PER_COMPONENT_MAX", "TABLES_PER_COMPONENT_MAX"],
        ),
        ("elements of a table", count(TABLE_ELEMENTS_MAX), &["TABLE_ELEMENTS_MAX"]),
        ("stack of calls", size(STACK_BYTES_MAX), &["STACK_BYTES_MAX"]),
        ("attempts in a row", count(BROKEN_IN_A_ROW_MAX), &["BROKEN_IN_A_ROW_MAX"]),
        ("bytes that one call hands", size(HOST_CALL_BYTES_MAX), &["HOST_CALL_BYTES_MAX"]),
        ("open handles", count(RESOURCES_MAX), &["RESOURCES_MAX"]),
        ("artifacts that are open", count(OPEN_ARTIFACTS_MAX), &["OPEN_ARTIFACTS_MAX"]),
        ("piece of an artifact", size(ARTIFACT_READ_BYTES_MAX), &["ARTIFACT_READ_BYTES_MAX"]),
        ("key, and value, of the key-value", size(KEY_BYTES_MAX), &["KEY_BYTES_MAX"]),
        ("random bytes", size(RANDOM_BYTES_MAX), &["RANDOM_BYTES_MAX"]),
        (
            "log |",
            format!(
                "{} lines, {}; {} a text, {LOG_FIELDS_MAX} fields a line",
                count(LOG_LINES_MAX),
                size(LOG_BYTES_MAX),
                size(LOG_TEXT_BYTES_MAX)
            ),
            &["LOG_LINES_MAX", "LOG_BYTES_MAX", "LOG_TEXT_BYTES_MAX", "LOG_FIELDS_MAX"],
        ),
        (
            "a failure's code, message, details",
            [CODE_BYTES_MAX, MESSAGE_BYTES_MAX, DETAILS_BYTES_MAX].map(size).join(", "),
            &["CODE_BYTES_MAX", "MESSAGE_BYTES_MAX", "DETAILS_BYTES_MAX"],
        ),
        (
            "frames of a trap",
            format!("{}, {FRAME_BYTES_MAX} bytes each", count(FRAMES_MAX)),
            &["FRAMES_MAX", "FRAME_BYTES_MAX"],
        ),
    ]
}

fn of_requests() -> Vec<Row> {
    let bodies =
        format!("{}, up to {}", size(egress::RESPONSE_BYTES_MAX), size(egress::RESPONSE_BYTES_CEILING));
    vec![
        ("requests |", count(egress::REQUESTS_MAX), &["REQUESTS_MAX"]),
        ("requests that are open", count(egress::OPEN_REQUESTS_MAX), &["OPEN_REQUESTS_MAX"]),
        (
            "body of a request, all that is sent",
            format!("{}, {}", size(egress::REQUEST_BYTES_MAX), size(egress::SENT_BYTES_MAX)),
            &["REQUEST_BYTES_MAX", "SENT_BYTES_MAX"],
        ),
        ("all that is received |", size(egress::RECEIVED_BYTES_MAX), &["RECEIVED_BYTES_MAX"]),
        (
            "head of a request, or of an answer",
            format!("{}, an answer's in {} headers", size(HEADER_BYTES_MAX), egress::HEADERS_MAX),
            &["HEADER_BYTES_MAX", "HEADERS_MAX"],
        ),
        ("head of a request, or of an answer", size(egress::HEAD_BYTES_MAX), &["HEAD_BYTES_MAX"]),
        ("body of an answer |", bodies, &["RESPONSE_BYTES_MAX", "RESPONSE_BYTES_CEILING"]),
        ("lookup, connection and TLS", seconds(egress::CONNECT_MS_MAX), &["CONNECT_MS_MAX"]),
        ("a request without a byte", seconds(egress::SILENCE_MS_MAX), &["SILENCE_MS_MAX"]),
        ("placeholders", format!("{} a request", egress::PLACEHOLDERS_MAX), &["PLACEHOLDERS_MAX"]),
    ]
}

fn of_a_plugin() -> Vec<Row> {
    let compiling = [seconds(COMPILE_MS_MAX), seconds(COMPILE_CPU_MS_MAX), size(COMPILE_MEMORY_BYTES_MAX)];
    vec![
        ("component |", size(COMPONENT_BYTES_MAX), &[]),
        (
            "time, processor time and memory",
            compiling.join(", "),
            &["COMPILE_MS_MAX", "COMPILE_CPU_MS_MAX", "COMPILE_MEMORY_BYTES_MAX"],
        ),
        ("its machine code", size(CODE_BYTES_OF_COMPONENT_MAX), &["CODE_BYTES_OF_COMPONENT_MAX"]),
        (
            "its first start",
            format!("{}, {}", seconds(START_MS_MAX), seconds(START_CPU_MS_MAX)),
            &["START_MS_MAX", "START_CPU_MS_MAX"],
        ),
        ("the call that tells the manifest", seconds(DESCRIBE_MS_MAX), &["DESCRIBE_MS_MAX"]),
    ]
}

fn rows() -> Vec<Row> {
    [of_an_attempt(), of_requests(), of_a_plugin()].concat()
}

/// Whether the text has these words, and not only as the end or the beginning of others.
fn tells(text: &str, words: &str) -> bool {
    let within = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(words).any(|(at, _)| {
        !within(text[..at].chars().next_back()) && !within(text[at + words.len()..].chars().next())
    })
}

#[test]
fn the_guide_tells_the_limits_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = std::fs::read_to_string(root.join("docs/plugin-author.md")).unwrap();
    let part = guide.split_once("\n## Limits\n").unwrap().1.split_once("\n## ").unwrap().0;
    for (row, told, _) in rows() {
        let mut lines = part.lines().filter(|line| line.starts_with(&format!("| {row}")));
        let line = lines.next().unwrap_or_else(|| panic!("the guide has no row \"{row}\""));
        let bound = line.split(" | ").nth(1).unwrap();
        assert!(tells(bound, &told), "the guide says \"{bound}\" of \"{row}\", and it is {told}");
    }
}

#[test]
fn every_limit_is_in_the_guide_or_nobodys_who_writes_plugins() {
    let sources = [include_str!("../../src/limits.rs"), include_str!("../../src/egress/limits.rs")];
    let constants = sources.iter().flat_map(|source| source.lines());
    let constants = constants.filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let constants: BTreeSet<&str> = constants.collect();
    let told = rows().into_iter().flat_map(|(_, _, constants)| constants).copied();
    let listed: Vec<&str> = told.chain(NOT_TOLD.iter().copied()).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), constants);
    assert_eq!(listed.len(), constants.len(), "one of them is listed twice");
}
