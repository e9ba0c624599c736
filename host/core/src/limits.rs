//! Bounds of documents and executions. Over one of them the caller gets a 413 or 422 that names it.

/// Bytes of an intent document; larger ones belong into artifacts. At it: 413.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Steps of one intent: a graph larger than this is not readable any more. Over it: 422.
pub const STEPS_MAX: usize = 500;
/// Levels of JSON in a document or an input; parsers recurse. Over it: 422.
pub const JSON_DEPTH_MAX: usize = 64;
/// Bytes of an execution's input. Over it: 413.
pub const INPUT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of one step's result as JSON text; bytes go through artifacts. Over it the attempt fails.
pub const RESULT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of all results of one execution. Over it the step fails.
pub const EXECUTION_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a component: Python's are 18 MB. The one bound of whoever packs, reads, uploads or compiles one; a host may be
/// set to take less. Over it: 413, or the plugin is refused.
pub const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of one expression's source: the parser's cost grows with it. Over it: 422.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;
/// Nested comprehensions of one expression: the evaluator has no cost limit of its own. Over it: 422.
pub const COMPREHENSIONS_NESTED_MAX: usize = 2;
/// Levels of one expression's syntax tree: whoever walks it recurses, and a chain of 2 000 operators in 4 KiB is more
/// than a worker's stack holds. Over it: 422.
pub const EXPRESSION_LEVELS_MAX: usize = 100;
/// Elements of a list inside a comprehension. Over it the step fails.
pub const COMPREHENSION_ELEMENTS_MAX: usize = 10_000;
/// Elements of a list where comprehensions are nested: the work is their product. Over it the step fails.
pub const COMPREHENSION_ELEMENTS_NESTED_MAX: usize = 1_000;
/// Bytes of what one expression gives. Over it the step fails.
pub const EXPRESSION_RESULT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of what all expressions of one template give together: each of them may repeat a whole result. Over it the
/// step fails.
pub const TEMPLATE_RESULT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Labels of one intent. Over it: 422.
pub const LABELS_MAX: usize = 64;
/// Characters of a label's key or value. Over it: 422.
pub const LABEL_CHARS_MAX: usize = 128;
/// Characters of a description. Over it: 422.
pub const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// Attempts that `retry.max_attempts` may ask for. Over it: 422.
pub const ATTEMPTS_MAX: u32 = 100;
/// Milliseconds of a step's timeout: a day; longer waits are `core/wait`'s. Over it: 422.
pub const TIMEOUT_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// Milliseconds of a step's timeout where none is written: the tutorial's 300 seconds.
pub const TIMEOUT_MS_DEFAULT: u64 = 300 * 1_000;
/// Milliseconds of a whole execution's timeout, and of a wait for a signal, an approval or a child: a year. Over it: 422.
pub const WAIT_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Elements of one `for_each`: each has a state of its own in memory. Over it the step fails.
pub const ELEMENTS_MAX: usize = 10_000;
/// Elements of one `for_each` that may run at the same time. Over it: 422.
pub const PARALLEL_MAX: u32 = 100;
/// Elements of one `for_each` that run at the same time where nothing is written.
pub const PARALLEL_DEFAULT: u32 = 8;
/// Executions that `concurrency.limit` may let run beside each other. Over it: 422.
pub const CONCURRENCY_MAX: u32 = 10_000;
/// Bytes of the value of `concurrency.key`: it is a column that is searched. Over it the start is refused.
pub const CONCURRENCY_KEY_BYTES_MAX: usize = 256;
/// Approvals that one step may ask for. Over it: 422.
pub const APPROVALS_MAX: u32 = 20;
/// Executions above a child, its own included: an intent that calls itself through others ends here. Over it the step
/// fails.
pub const CHILD_DEPTH_MAX: u32 = 8;
/// Bytes of a signal's payload. Over it: 413.
pub const SIGNAL_BYTES_MAX: usize = 64 * 1024;
/// Events that one commit may hold before the rest of the work is left to the next one. At it the execution is woken at
/// once.
pub const TURN_EVENTS_MAX: usize = 1_000;
/// Missed due times of a schedule that are made up: more would start a flood when a host comes back. Over it: 422.
pub const CATCH_UP_MAX: u32 = 100;
/// Milliseconds of a schedule's jitter: half a day, so that a daily schedule keeps its day. Over it: 422.
pub const JITTER_MS_MAX: u64 = 12 * 60 * 60 * 1_000;
