//! Each limit of an attempt: what is exactly at it goes through, and the next one beyond it does not.

use http::{HeaderName, HeaderValue};
use quantum_core::limits::RESULT_BYTES_MAX;
use quantum_core::port::{AttemptOutcome, AttemptReport, FailureKind, Grant};
use quantum_core::vocabulary::Capability;
use quantum_sandbox::limits::{
    CODE_BYTES_MAX, DETAILS_BYTES_MAX, HEADER_BYTES_MAX, HOST_CALL_BYTES_MAX, LOG_BYTES_MAX, LOG_FIELDS_MAX,
    LOG_TEXT_BYTES_MAX, MESSAGE_BYTES_MAX, RANDOM_BYTES_MAX, RESOURCES_MAX, STACK_BYTES_MAX,
    TABLE_ELEMENTS_MAX,
};
use serde_json::{Value, json};

use crate::guests::{WORLD, component, guest, module};
use crate::world::{World, failure};

const WRITE: &str = r#"(import "quantum:log/log@1.0.0" "write" (func $write (param i32 i32 i32 i32 i32)))"#;
const DONE: &str = "(call $ok (i32.const 1040) (i32.const 6))";
/// Where there is room for something large, and pages for it.
const AT: usize = 0x20_0000;
const ROOM: &str = "(drop (memory.grow (i32.const 400)))";

fn done(report: &AttemptReport) {
    assert_eq!(report.outcome, AttemptOutcome::Completed(json!("done")));
}

fn trapped(report: AttemptReport, message: &str) {
    let failure = failure(report);
    assert_eq!((failure.kind, failure.problem.message.as_str()), (FailureKind::Trap, message));
}

/// `len` times this letter at `at`.
fn fill(at: usize, letter: u8, len: usize) -> String {
    format!("(memory.fill (i32.const {at}) (i32.const {letter}) (i32.const {len}))")
}

#[tokio::test]
async fn a_table_grows_to_its_limit_and_not_by_one_element_more() {
    let world = World::new();
    let grow = |elements: usize| {
        let grown = format!("(table.grow $table (ref.null func) (i32.const {elements}))");
        guest("", &format!("(call $ok (call $digits (i32.add (i32.const 200) {grown})) (i32.const 3))"))
    };
    // The table has one element before.
    let at = world.run(&grow(TABLE_ELEMENTS_MAX - 1), "{}").await;
    assert_eq!(at.outcome, AttemptOutcome::Completed(json!(201)));
    let beyond = world.run(&grow(TABLE_ELEMENTS_MAX), "{}").await;
    assert_eq!(beyond.outcome, AttemptOutcome::Completed(json!(199)));
    assert_eq!(beyond.bill.memory_bytes_peak, 2 * 65536 + 8 * TABLE_ELEMENTS_MAX as u64 + 8);
}

/// A guest with a function of its own beside `run`.
fn guest_with(function: &str, run: &str) -> Vec<u8> {
    component(WORLD, &module("", run).replacen("(func $run", &format!("{function} (func $run"), 1))
}

/// The loop of an interpreter is one function with thousands of values, few of which live at once. What allocates registers
/// has to put them where others were: with a place for each, ten calls of such a function would use up the stack.
#[tokio::test]
async fn calls_of_an_interpreter_fit_the_stack() {
    let world = World::new();
    let value = "(local.set $value (i32.mul (local.get $sum) (i32.const 31)))
                 (drop (call $digits (local.get $value)))
                 (local.set $sum (i32.add (local.get $sum) (local.get $value)))";
    let interpreter = format!(
        "(func $interpret (param $depth i32) (result i32) (local $sum i32) (local $value i32)
             (local.set $sum (local.get $depth))
             {}
             (if (local.get $depth)
                 (then (drop (call $interpret (i32.sub (local.get $depth) (i32.const 1))))))
             (local.get $sum))",
        value.repeat(2_000)
    );
    let run = format!("(drop (call $interpret (i32.const 200))) {DONE}");
    done(&world.run(&guest_with(&interpreter, &run), "{}").await);
}

#[tokio::test]
async fn a_stack_has_at_most_its_bytes() {
    let world = World::new();
    let calls = |depth: usize| {
        let deep = "(func $deep (param $more i32) (result i32)
             (if (result i32) (local.get $more)
                 (then (i32.add (call $deep (i32.sub (local.get $more) (i32.const 1))) (i32.const 1)))
                 (else (i32.const 0))))";
        let run = format!("(drop (call $deep (i32.const {depth}))) {DONE}");
        guest_with(deep, &run)
    };
    // No call takes less than two words of the stack, and this one no more than eight.
    done(&world.run(&calls(STACK_BYTES_MAX / 64), "{}").await);
    trapped(world.run(&calls(STACK_BYTES_MAX / 16), "{}").await, "the plugin trapped: call stack exhausted");
}

#[tokio::test]
async fn a_result_has_at_most_its_bytes() {
    let world = World::new();
    let result = |bytes: usize| {
        let quotes = format!(
            "(i32.store8 (i32.const {AT}) (i32.const 34)) (i32.store8 (i32.const {}) (i32.const 34))",
            AT + bytes - 1
        );
        let text = fill(AT, b'a', bytes);
        guest("", &format!("{ROOM} {text} {quotes} (call $ok (i32.const {AT}) (i32.const {bytes}))"))
    };
    let at = world.run(&result(RESULT_BYTES_MAX), "{}").await;
    let AttemptOutcome::Completed(Value::String(kept)) = at.outcome else { panic!("it is kept") };
    assert_eq!(kept.len(), RESULT_BYTES_MAX - 2);
    let message = "the result has 1048577 bytes, at most 1048576 are kept; pass large data as artifacts";
    let beyond = result(RESULT_BYTES_MAX + 1);
    world.fails(&beyond, FailureKind::OutputLimit, "output-too-large", message).await;
}

const TOO_MUCH: &str = "the plugin passed more than 16777216 bytes in one call";

#[tokio::test]
async fn the_arguments_of_a_call_have_at_most_their_bytes() {
    let world = World::new();
    let argument = |bytes: usize| {
        let text = fill(AT, b'a', bytes);
        let call = format!("(i32.const 2) (i32.const {AT}) (i32.const {bytes}) (i32.const 0) (i32.const 0)");
        guest(WRITE, &format!("{ROOM} {text} (call $write {call}) {DONE}"))
    };
    done(&world.run(&argument(HOST_CALL_BYTES_MAX), "{}").await);
    trapped(world.run(&argument(HOST_CALL_BYTES_MAX + 1), "{}").await, TOO_MUCH);
}

#[tokio::test]
async fn a_list_of_empty_strings_counts_as_it_lies_in_the_hosts_memory() {
    let world = World::new();
    let list = |fields: usize| {
        let call = format!("(i32.const 2) (i32.const 0) (i32.const 0) (i32.const {AT}) (i32.const {fields})");
        guest(WRITE, &format!("{ROOM} (call $write {call}) {DONE}"))
    };
    let fields = HOST_CALL_BYTES_MAX / size_of::<(String, String)>();
    done(&world.run(&list(fields), "{}").await);
    trapped(world.run(&list(fields + 1), "{}").await, TOO_MUCH);
}

#[tokio::test]
async fn headers_have_at_most_their_bytes() {
    let world = World::new();
    let imports = r#"
        (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
        (import "wasi:http/types@0.2.12" "[method]fields.append"
            (func $append (param i32 i32 i32 i32 i32 i32)))"#;
    let header = |bytes: usize| {
        let value = fill(AT, b'a', bytes);
        let name = "(i32.const 1088) (i32.const 4)";
        let call = format!(
            "(call $append (call $fields) {name} (i32.const {AT}) (i32.const {bytes}) (i32.const 4096))"
        );
        let refused =
            "(if (i32.load8_u (i32.const 4096)) (then (return (call $ok (i32.const 1104) (i32.const 1)))))";
        guest(imports, &format!("{ROOM} {value} {call} {refused} {DONE}"))
    };
    let own = "http".len() + size_of::<HeaderName>() + size_of::<HeaderValue>();
    done(&world.run(&header(HEADER_BYTES_MAX - own), "{}").await);
    trapped(
        world.run(&header(HEADER_BYTES_MAX - own + 1), "{}").await,
        "the plugin trapped: total size of fields exceeds limit",
    );
}

#[tokio::test]
async fn one_call_gives_at_most_so_many_random_bytes() {
    let world = World::new();
    let import = r#"(import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))"#;
    let grant = || Grant { capabilities: vec![Capability::Random], ..Grant::default() };
    let ask =
        |bytes: u64| guest(import, &format!("(call $random (i64.const {bytes}) (i32.const 4096)) {DONE}"));
    done(&world.run_granted(&ask(RANDOM_BYTES_MAX), grant(), "{}").await);
    trapped(
        world.run_granted(&ask(RANDOM_BYTES_MAX + 1), grant(), "{}").await,
        "the plugin trapped: requested len 1048577 exceeds limit 1048576",
    );
}

#[tokio::test]
async fn a_guest_holds_at_most_so_many_handles() {
    let world = World::new();
    let import = r#"(import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))"#;
    let hoard = |handles: usize| {
        let run = format!(
            "(loop $more (drop (call $fields)) (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $i) (i32.const {handles})))) {DONE}"
        );
        guest(import, &run)
    };
    done(&world.run(&hoard(RESOURCES_MAX), "{}").await);
    trapped(
        world.run(&hoard(RESOURCES_MAX + 1), "{}").await,
        "the plugin trapped: resource table has no free keys",
    );
}

/// A permanent failure with words of these lengths.
fn fails_with(code: usize, message: usize, details: usize) -> Vec<u8> {
    let (at_code, at_message, at_details) = (AT, AT + 0x1_0000, AT + 0x2_0000);
    let words = [fill(at_code, b'c', code), fill(at_message, b'm', message), fill(at_details, b'd', details)];
    let stores = [
        (8208, at_code),
        (8212, code),
        (8216, at_message),
        (8220, message),
        (8228, at_details),
        (8232, details),
    ]
    .map(|(at, value)| format!("(i32.store (i32.const {at}) (i32.const {value}))"));
    let failed = "(drop (call $failed (i32.const 0) (i32.const 0) (i32.const 0)))";
    guest("", &format!("{ROOM} {} {failed} {} (i32.const 8192)", words.concat(), stores.concat()))
}

#[tokio::test]
async fn a_plugins_own_words_are_cut_and_its_details_dropped() {
    let world = World::new();
    let lengths = async |code, message, details| {
        let problem = failure(world.run(&fails_with(code, message, details), "{}").await).problem;
        let details = problem.details.map(|details| details.as_str().unwrap().len());
        (problem.code.len(), problem.message.len(), details)
    };
    let (code, message, details) = (CODE_BYTES_MAX, MESSAGE_BYTES_MAX, DETAILS_BYTES_MAX);
    assert_eq!(lengths(code, message, details).await, (code, message, Some(details)));
    assert_eq!(lengths(code + 1, message + 1, details + 1).await, (code, message, None));
}

/// Writes a line with a message of so many bytes, so often.
fn writes(bytes: usize, lines: usize) -> Vec<u8> {
    let run = format!(
        "{ROOM} {} (loop $more
            (call $write (i32.const 2) (i32.const {AT}) (i32.const {bytes}) (i32.const 0) (i32.const 0))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $i) (i32.const {lines})))) {DONE}",
        fill(AT, b'm', bytes)
    );
    guest(WRITE, &run)
}

#[tokio::test]
async fn a_message_of_the_log_is_cut() {
    for (bytes, kept) in
        [(LOG_TEXT_BYTES_MAX, LOG_TEXT_BYTES_MAX), (LOG_TEXT_BYTES_MAX + 1, LOG_TEXT_BYTES_MAX)]
    {
        let world = World::new();
        done(&world.run(&writes(bytes, 1), "{}").await);
        assert_eq!(world.log(), [format!("info {}", "m".repeat(kept))]);
    }
}

#[tokio::test]
async fn all_lines_of_the_log_together_have_at_most_their_bytes() {
    let lines = LOG_BYTES_MAX / LOG_TEXT_BYTES_MAX;
    let warning = "warn more lines are dropped: an attempt keeps 1000 lines and 262144 bytes";
    for (more, expected) in [(0, lines), (1, lines + 1), (2, lines + 1)] {
        let world = World::new();
        done(&world.run(&writes(LOG_TEXT_BYTES_MAX, lines + more), "{}").await);
        let log = world.log();
        assert_eq!(log.len(), expected, "{more} more");
        assert_eq!(log.last().unwrap() == warning, more > 0);
    }
}

#[tokio::test]
async fn a_line_of_the_log_has_at_most_so_many_fields() {
    // Each field has a name of its own: one letter.
    let field = |n: usize| {
        let (at, name) = (AT + 8 * 2 * n, AT + 0x1_0000 + n);
        let stores = [(at, name), (at + 4, 1), (at + 8, name), (at + 12, 1)]
            .map(|(at, value)| format!("(i32.store (i32.const {at}) (i32.const {value}))"));
        format!("(i32.store8 (i32.const {name}) (i32.const {})) {}", 48 + n, stores.concat())
    };
    for fields in [LOG_FIELDS_MAX, LOG_FIELDS_MAX + 1] {
        let world = World::new();
        let all: String = (0..fields).map(field).collect();
        let call =
            format!("(i32.const 2) (i32.const 1056) (i32.const 4) (i32.const {AT}) (i32.const {fields})");
        done(&world.run(&guest(WRITE, &format!("{ROOM} {all} (call $write {call}) {DONE}")), "{}").await);
        let log = world.log();
        let kept: Value = serde_json::from_str(log[0].strip_prefix("info boom ").unwrap()).unwrap();
        assert_eq!(kept.as_object().unwrap().len(), LOG_FIELDS_MAX);
    }
}
