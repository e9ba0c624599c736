//! Limits of components and attempts, in one place; those of outgoing requests are in `egress`. wasmtime's own defaults
//! are too large for many tenants on one machine.

// Of all attempts together.

/// Attempts that run at once; others wait for a place. Bounds the address space that the pool reserves.
pub const ATTEMPTS_MAX: u32 = 1_000;
/// Memories in the pool for each place, 4 GiB of address space each. Components that have more take more of them, and
/// wait until they are free. One tenant's attempts get half of the default engine's, and so at most half of these.
pub const MEMORIES_PER_PLACE: u32 = 4;
/// Tables in the pool for each place, 160 KB of address space each. The same is true of them.
pub const TABLES_PER_PLACE: u32 = 16;
/// Bytes of a used memory that stay mapped for the next attempt: resetting them is cheaper than faulting them in.
pub const KEEP_RESIDENT_BYTES: usize = 256 * 1024;
/// How much smaller the second pool is, on machines that do not give the address space of the first.
pub const SMALLER_POOL: u32 = 16;
/// Compiled components kept in memory; the one unused longest makes place.
pub const COMPONENTS_MAX: usize = 256;

/// Bytes of compiled components kept on disk; the one unused longest makes place.
pub const CACHE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

// Of compiling one component, in a child process. Over them the install is refused.

/// Milliseconds until a component is tried again that this host could not compile or link; until then its attempts end
/// at once with the same words. An install tries it always.
pub const REFUSED_MS: u64 = 60 * 1_000;
/// Components that are compiled at once; others wait. Bounds what compilers take of the machine.
pub const COMPILES_MAX: usize = 2;
/// Milliseconds until a component is compiled. Less than the API waits for an upload.
pub const COMPILE_MS_MAX: u64 = 150_000;
/// Milliseconds of processor time of it: Python's components take about 20 s.
pub const COMPILE_CPU_MS_MAX: u64 = 120_000;
/// Bytes of memory of it, whether used or not.
pub const COMPILE_MEMORY_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes of a component's machine code: about three times those of the component.
pub const CODE_BYTES_OF_COMPONENT_MAX: usize = 256 * 1024 * 1024;
/// Threads that one component is compiled with.
pub const COMPILE_THREADS_MAX: usize = 4;
/// Files that a compiler has open: its three pipes, and what the standard library looks at.
pub const COMPILER_FILES_MAX: u64 = 16;
/// Bytes of what a compiler says about a component; the rest is dropped.
pub const COMPILER_WORDS_BYTES_MAX: u64 = 4 * 1024;

// Of one component; its bytes are bounded in core. Over them the install is refused.

/// Core modules, as often as they are instantiated: Python's components have about 150.
pub const CORE_INSTANCES_PER_COMPONENT_MAX: u32 = 256;
/// Memories of all its core modules: one each in most languages, a few where components are made of others.
pub const MEMORIES_PER_COMPONENT_MAX: u32 = 16;
/// Tables of all its core modules.
pub const TABLES_PER_COMPONENT_MAX: u32 = 64;
/// Elements of one table. More cannot be declared, and growing beyond it gives the guest -1.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;

// Of one attempt.

/// Bytes of the stack of a guest's calls within each other, which is not that of its language's own runtime. Over it:
/// `trap`. What was touched of it stays mapped for the next attempt.
pub const STACK_BYTES_MAX: usize = 512 * 1024;

/// Bytes of all memories and tables, where the grant names none. Over it: `memory-limit`.
pub const MEMORY_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// Bytes that a grant can raise it to: what a Python or JavaScript component needs. More is cut to this.
pub const MEMORY_BYTES_CEILING: u64 = 256 * 1024 * 1024;
/// Milliseconds of processor time, the host's work for the guest included. Over it: `cpu-limit`.
pub const CPU_MS_MAX: u64 = 30_000;
/// Handles that a guest may hold at once. Over it the call traps.
pub const RESOURCES_MAX: usize = 4_096;
/// Readers and writers of artifacts that are open at once. Over it: `quota`.
pub const OPEN_ARTIFACTS_MAX: usize = 64;
/// Milliseconds of the start that an install tries.
pub const START_MS_MAX: u64 = 30_000;
/// Milliseconds of processor time of the start that an install tries.
pub const START_CPU_MS_MAX: u64 = 5_000;
/// Milliseconds that a describing build may take.
pub const DESCRIBE_MS_MAX: u64 = 30_000;

// Of one call of a guest into the host.

/// Bytes that one call may copy from the guest to the host. Over it the call traps.
pub const HOST_CALL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of one set of HTTP headers, as they lie in memory. Over it the call traps.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of random numbers. Over it the call traps.
pub const RANDOM_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes that one write to a standard stream may hand over; the log cuts further.
pub const STREAM_WRITE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a key, without the installation's prefix. Over it: `invalid-key`.
pub const KEY_BYTES_MAX: usize = 512;
/// Bytes of a value; a store may take less. Over it: `too-large`.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that one read of an artifact gives; a guest that asks for more gets less.
pub const ARTIFACT_READ_BYTES_MAX: u32 = 1024 * 1024;
/// Bytes of a reference, a name or a media type of an artifact. Over it: `invalid-name`.
pub const ARTIFACT_WORD_BYTES_MAX: usize = 1024;

// Of what an attempt leaves behind. A result's bytes are bounded in core.

/// Frames of a backtrace that are kept, the innermost first.
pub const FRAMES_MAX: usize = 32;
/// Bytes of the line of one of them; a longer one is cut.
pub const FRAME_BYTES_MAX: usize = 256;
/// Bytes of a plugin's code and message; longer ones are cut.
pub const CODE_BYTES_MAX: usize = 128;
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a plugin's details; longer ones are dropped.
pub const DETAILS_BYTES_MAX: usize = 64 * 1024;
/// Lines of the log, progress included. Over it one warning is written, and the rest is dropped.
pub const LOG_LINES_MAX: u32 = 1_000;
/// Bytes of all lines of the log. Over it the same.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one message of the log, and of one field's value; longer ones are cut.
pub const LOG_TEXT_BYTES_MAX: usize = 4 * 1024;
/// Fields of one line of the log; more are dropped.
pub const LOG_FIELDS_MAX: usize = 32;

// Of components that break again and again: see `breaker`.

/// Attempts that break one after another, and then the component is suspended.
pub const BROKEN_IN_A_ROW_MAX: u32 = 5;
/// Milliseconds until the first probe. Doubles with each probe that breaks, up to the last.
pub const SUSPENDED_MS_FIRST: u64 = 1_000;
pub const SUSPENDED_MS_LAST: u64 = 5 * 60 * 1_000;
/// Components of tenants that are kept in mind; the one that broke longest ago is forgotten.
pub const BROKEN_MAX: usize = 4_096;
