//! What guests give back and what servers answer, changed at random and with the same seed each time: the guest is
//! told, or it is the guest that failed, and never the host.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use quantum_core::port::{AttemptOutcome, AttemptReport, FailureKind};
use quantum_sandbox::SandboxOptions;
use quantum_sandbox::limits::{CODE_BYTES_MAX, MESSAGE_BYTES_MAX};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::guests::{guest, http};
use crate::world::{World, hosts, options};

/// Of each test. `PROPTEST_CASES` in the environment makes it another number.
const CASES: u32 = 500;
const SEED: u64 = 20_260_101;

fn runner() -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(SEED), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
}

/// A result, or a failure that is the guest's, within what is kept of one.
fn is_the_guests(report: &AttemptReport) -> Result<(), TestCaseError> {
    let AttemptOutcome::Failed(failure) = &report.outcome else { return Ok(()) };
    use FailureKind::{InvalidOutput, OutputLimit, Permanent, Retryable, Trap};
    prop_assert!(
        matches!(failure.kind, Trap | Permanent | Retryable | OutputLimit | InvalidOutput),
        "{failure:?}"
    );
    prop_assert!(failure.problem.code.len() <= CODE_BYTES_MAX);
    prop_assert!(failure.problem.message.len() <= MESSAGE_BYTES_MAX);
    Ok(())
}

/// Whose components are never suspended: each case is an attempt.
fn world() -> World {
    World::with(SandboxOptions { broken_in_a_row_max: u32::MAX, ..options() })
}

/// Writes what its parameters say to where its answer lies, and returns: two letters from `a` to `p` are a byte.
fn answers_with_bytes() -> Vec<u8> {
    let nibble =
        |at: &str| format!("(i32.sub (i32.load8_u (i32.add (local.get $text) {at})) (i32.const 97))");
    let (high, low) = (nibble("(local.get $i)"), nibble("(i32.add (local.get $i) (i32.const 1))"));
    let run = format!(
        "(block $end (loop $more
            (br_if $end (i32.ge_u (local.get $i) (local.get $text_len)))
            (i32.store8 (i32.add (i32.const 8192) (i32.div_u (local.get $i) (i32.const 2)))
                (i32.or (i32.shl {high} (i32.const 4)) {low}))
            (local.set $i (i32.add (local.get $i) (i32.const 2)))
            (br $more)))
        (i32.const 8192)"
    );
    guest("", &run)
}

fn letters(bytes: &[u8]) -> String {
    let letter = |nibble: u8| char::from(b'a' + nibble);
    bytes.iter().flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]).collect()
}

/// The words of an answer: which case it is, pointers and lengths, good ones among them. 1024 and 1040 are texts.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let usual = [0, 1, 2, 3, 5, 6, 1024, 1040, 8192, 0x1_ffff, 0x2_0000, 0x7fff_ffff, u32::MAX - 1, u32::MAX];
    let word = prop_oneof![8 => proptest::sample::select(usual.to_vec()), 1 => any::<u32>()];
    proptest::collection::vec(word, 0..16)
        .prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect())
}

#[test]
fn whatever_a_guest_gives_back_is_its_result_or_its_failure() {
    let (runtime, world) = (Runtime::new().unwrap(), world());
    let component = answers_with_bytes();
    let ran = runner().run(&words(), |bytes| {
        let report = runtime.block_on(world.run(&component, &letters(&bytes)));
        is_the_guests(&report)
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    // The good words are good: this is about more than traps.
    let good = [0_u32, 0, 1040, 6].map(u32::to_le_bytes).concat();
    let report = runtime.block_on(world.run(&component, &letters(&good)));
    assert_eq!(report.outcome, AttemptOutcome::Completed("done".into()));
    runtime.block_on(world.is_well());
}

/// Gives each connection the bytes of the moment, and hangs up.
struct Answering {
    port: u16,
    bytes: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answering {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let now = bytes.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut head, answer) = (Vec::new(), now.lock().unwrap().clone());
                while !head.ends_with(b"\r\n\r\n") {
                    if !stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                        break;
                    }
                }
                let _hung_up = stream.write_all(&answer).await;
                let _hung_up = stream.shutdown().await;
            }
        });
        Self { port, bytes, task }
    }
}

/// Answers that servers give, whole.
const ANSWERS: [&[u8]; 5] = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-end: 1\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\ncontent-type: text/plain\r\n\r\nnothing",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nset-cookie: a=b\r\n\r\n",
];
const PIECES: [&[u8]; 10] = [
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff\xfe",
    b": ",
    b"HTTP/1.1 ",
    b"ffffffffffffffff\r\n",
    b"content-length: -1\r\n",
    b"content-length: 18446744073709551615\r\n",
    b"transfer-encoding: chunked\r\n",
];

/// An answer, cut somewhere, with pieces in it where they do not belong.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let piece = (any::<usize>(), proptest::sample::select(PIECES.to_vec()));
    let pieces = proptest::collection::vec(piece, 0..4);
    let cut = prop_oneof![Just(usize::MAX), any::<usize>()];
    let changed =
        (proptest::sample::select(ANSWERS.to_vec()), pieces, cut).prop_map(|(answer, pieces, cut)| {
            let mut bytes = answer.to_vec();
            for (at, piece) in pieces {
                let at = at % (bytes.len() + 1);
                bytes.splice(at..at, piece.iter().copied());
            }
            bytes.truncate(if cut == usize::MAX { cut } else { cut % (bytes.len() + 1) });
            bytes
        });
    prop_oneof![9 => changed, 1 => proptest::collection::vec(any::<u8>(), 0..256)]
}

#[test]
fn whatever_a_server_answers_is_told_to_the_guest() {
    let (runtime, world) = (Runtime::new().unwrap(), world());
    let server = runtime.block_on(Answering::start());
    let (component, authority) = (http(), format!("0127.0.0.1:{}", server.port));
    let ask = |world: &World, answer: &[u8]| {
        *server.bytes.lock().unwrap() = answer.to_vec();
        runtime.block_on(world.run_granted(&component, hosts(&["*"]), &authority))
    };
    let ran = runner().run(&answers(), |answer| {
        let report = ask(&world, &answer);
        is_the_guests(&report)?;
        let trapped = matches!(&report.outcome, AttemptOutcome::Failed(it) if it.kind == FailureKind::Trap);
        prop_assert!(!trapped, "{:?}", report.outcome);
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    runtime.block_on(world.is_well());
    // The good answer is good; in a new world, which keeps no connection to a server that hung up.
    assert_eq!(ask(&World::new(), ANSWERS[0]).outcome, AttemptOutcome::Completed(200.into()));
}
