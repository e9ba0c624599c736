//! What `cargo xtask` prints about itself.

pub const OVERVIEW: &str = "\
cargo xtask TASK [OPTIONS]

  demo [--keep]         build everything and watch intents run, deploy an application, be refused, survive a crash
  test [--quick]        everything that must hold: tests, sandbox cases, clippy, fmt, generated files
  chaos [--minutes N]   a real host under load: killed, stopped, without room on its disk, with a clock that jumps
  upgrade [--from REV]  a rolling upgrade from an earlier version, under the faults of chaos
  bench [NAME | load …] measure: benches, figures with bounds (scale), or the load generator; or simulate cells
  tidy                  the rules of the house: dependency table, sizes, unfinished code
  codegen [--check]     write the files that are made from the code, or check them
  plugins               build and pack the plugins that ship
  languages             install the tools that plugins in Python and JavaScript are made with
  help [TASK]           more about one task

A fresh checkout needs rustup and a C compiler; the rest is added and built by the tasks.";

/// A task's own page; none: there is no such task.
pub fn of(task: &str) -> Option<&'static str> {
    Some(match task {
        "demo" => DEMO,
        "test" => TEST,
        "chaos" => CHAOS,
        "upgrade" => UPGRADE,
        "bench" => BENCH,
        "tidy" => TIDY,
        "codegen" => CODEGEN,
        "plugins" => PLUGINS,
        "languages" => LANGUAGES,
        "help" => OVERVIEW,
        _ => return None,
    })
}

const DEMO: &str = "\
cargo xtask demo [--keep]

Builds the host and its plugins, starts the host on SQLite in target/demo, and on loopback a small service that
misbehaves on purpose, a registry of images, and the API of a cluster. Then: an intent that does real work over HTTP,
with a retry; one that a policy refuses; the tutorial's deploy-web-app and deploy-application, which build an image,
push it, deploy it and check its health; and one in whose middle the host is killed with SIGKILL and started again.

  --keep   leave the host running at the end, and print how to talk to it and how to stop it

The host's log is target/demo/host.log. Exit code 0 means that everything happened as it should.";

const TEST: &str = "\
cargo xtask test [--quick]

Phases: prerequisites, build, plugins (packed), python and javascript (the tools that plugins in them are made with,
below target/tools), tests (cargo test --workspace, tidy is one of them), sandbox cases, chaos (two minutes of it, with a fixed
seed), chaos --nodes (two more, with three hosts on a PostgreSQL), clippy, fmt, codegen, fuzz (its targets compile).
Every phase is timed; a failure does not hide the phases after it.

  --quick   leave out sandbox cases, chaos, clippy, fmt, codegen and fuzz, and try fewer random cases

With CI=true a missing clippy, rustfmt, Python, npm or PostgreSQL is a failure. One package: cargo test -p quantum-core.";

const CHAOS: &str = "\
cargo xtask chaos [--nodes N [--older PATH]] [--minutes N] [--seed N] [--clients N] [--release] [--keep]

Starts a host on SQLite in target/chaos and lets clients start random intents on it: chains, graphs, retries, timers,
cancellations, and whatever else this host supports. Meanwhile the host is killed with SIGKILL (300 ms after it is
ready, on average), stopped with SIGSTOP, finds no room on its disk, and its clock jumps. A ledger, in a process of its
own, keeps every effect; a file keeps every answer of the API. Afterwards everything is read back and held against what
is promised: docs/chaos.md. A table is printed, and target/chaos/report.json has all of it.

With --nodes it is several hosts on one PostgreSQL that the run starts itself, in target/chaos-nodes: they are killed,
ended and paused past their leases, the database is restarted and killed, and the network between them is slow, held
back, cut, or dead without a word.

  --nodes N     hosts on one PostgreSQL, 2 to 8; PostgreSQL must be installed
  --older PATH  the host of an earlier version: all nodes begin with it, and each process that is started later is more
                likely to be of this build. `cargo xtask upgrade` builds one
  --minutes N   of load and faults, 2 when not given; the check comes on top
  --seed N      of intents, faults and choices; random when not given, and printed
  --clients N   at the same time, 12 when not given
  --release     a release build of the host
  --keep        keep the data folder, also when nothing is wrong

Exit code 1: a promise was not kept. It is printed with the seed, the execution and its events.";

const UPGRADE: &str = "\
cargo xtask upgrade [--from REV] [OPTIONS OF chaos]

Builds the host of an earlier version in a worktree below target/upgrade, and keeps it there. Then chaos with three nodes,
which begin with that host on a database that it prepared: this build prepares the database while they serve, and takes
their places one by one, back and forth, while everything is killed, ended, paused and cut. In the end all are of this
build, and everything that was promised is checked. docs/chaos.md says more.

  --from REV    a git revision; when not given, the last tag before this commit, and while there is none, the commit before
                the last one that changed a migration, the events or the plans

The older host is built in a folder of its own, below target/upgrade; the first time takes as long as a first build.";

const BENCH: &str = "\
cargo xtask bench                      every bench of benches/
cargo xtask bench NAME [ARGUMENTS]     one of them; the arguments go to criterion
cargo xtask bench load [ARGUMENTS]     a release build of the host under load; the arguments go to the generator
cargo xtask bench scale [PART…]        figures with bounds: commits, waiting, recovery, for-each, history; all of them
                                       take six minutes and four gigabytes of disk. --help names the sizes
cargo xtask bench cells [--seed N]     10 000 tenants on cells, simulated: which placement the plan takes, and why

load, scale and cells write their figures to target/bench as JSON too. Exit code 1 of scale: a figure is over its bound.
docs/performance.md says what is measured, and what came out; docs/scaling.md what is simulated.";

const TIDY: &str = "\
cargo xtask tidy

Checks the dependency table of ARCHITECTURE.md, one TLS and one cryptography library, `//!` on every file, functions
of at most 70 lines and files of at most 400 (xtask/tidy-exceptions.toml may only shrink), no unfinished code, no
`allow`, names of tests, and who may make a TenantScope. All findings at once, with what to do.";

const CODEGEN: &str = "\
cargo xtask codegen [--check]

Writes schemas/ from what the host prints.

  --check   write nothing; fail when a file differs";

const PLUGINS: &str = "\
cargo xtask plugins

Builds the plugins that ship and packs them into the folder `plugins` beside the binary (target/debug/plugins), where
the host finds them; and plugins/hostile, which tests need, into target/debug/hostile, where no host looks.";

const LANGUAGES: &str = "\
cargo xtask languages

Installs componentize-py (with python3) and jco (with npm) below target/tools, in the versions that are pinned in
sdk/py/tools and sdk/js/tools. `cargo xtask test` does it too. What is there already is not installed again; a language
that is not on the machine is left out, and with CI=true a failure.";
