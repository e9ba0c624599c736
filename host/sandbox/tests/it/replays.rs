//! An attempt that was recorded is made again in a world that has nothing: no values, no secrets, no server, and a gate
//! that lets nothing through.

use quantum_core::manifest::SecretPlace::Header;
use quantum_core::port::{Attempt, AttemptReport, Grant, RecordingSlot, StepRunner};
use quantum_core::recording::{Ended, Recording, Why, recording_schema};
use quantum_core::schema::Schema;
use quantum_core::vocabulary::Capability;
use quantum_sandbox::Replayed;
use serde_json::Value;

use crate::guests;
use crate::recorder::Recorder;
use crate::script::{everything, script, told};
use crate::world::{World, attempt};

const VALUE: &str = "s3cr3t \"value\"/1";

/// The report, and the recording as it is kept.
async fn record(world: &World, mut attempt: Attempt) -> (AttemptReport, Vec<u8>) {
    attempt.recording = RecordingSlot::wished();
    let slot = attempt.recording.clone();
    let report = world.sandbox.run(attempt).await;
    (report, slot.take().unwrap()().unwrap())
}

async fn record_script(world: &World, lines: &[&str]) -> (AttemptReport, Vec<u8>) {
    let digest = world.store(&script());
    record(world, attempt(&digest, everything(&["*"], &[Header]), &lines.join("\n"))).await
}

/// With the component in a world that has nothing.
async fn replay(component: &[u8], grant: Grant, recording: Recording) -> Replayed {
    let world = World::new();
    *world.gate.decide.lock().unwrap() = Box::new(|_| false);
    *world.gate.decide_secret.lock().unwrap() = Box::new(|_| false);
    let digest = world.store(component);
    let replayed = world.sandbox.replay(attempt(&digest, grant, "{}"), recording).await;
    assert!(world.gate.asked.lock().unwrap().is_empty(), "nothing of the outside is asked");
    replayed
}

async fn replay_script(recording: Recording) -> Replayed {
    replay(&script(), everything(&["*"], &[Header]), recording).await
}

fn read(bytes: &[u8]) -> Recording {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let findings = Schema::compile(&recording_schema()).unwrap().findings(&value, "", "recording");
    assert_eq!(findings, []);
    Recording::read(bytes).unwrap()
}

fn ended(replayed: Replayed) -> AttemptReport {
    match replayed {
        Replayed::Ended(report) => report,
        Replayed::Stopped(difference) => panic!("{difference}"),
    }
}

fn stopped(replayed: Replayed) -> String {
    match replayed {
        Replayed::Stopped(difference) => difference.to_string(),
        Replayed::Ended(report) => panic!("it went on: {}", told(&report)),
    }
}

fn world() -> World {
    let world = World::new();
    world.secrets.keep("TOKEN", VALUE, &["*"]);
    world
}

#[tokio::test]
async fn each_effect_is_told_again() {
    let server = Recorder::start().await;
    let world = world();
    let authority = server.authority();
    let lines = [
        "+one",
        "skey",
        "0",
        "Gkey",
        "ckey",
        "dkey",
        "0", // values
        "wtext/plain",
        "+12",
        "W",
        "+34",
        "W",
        "Freport",
        "0",
        "rreport",
        "i3",
        "I",
        "qreport",
        "0",
        "+data",
        "mTOKEN",
        "l",
        "0",
        "+user",
        "uTOKEN",
        "Hauthorization", // a signature, and basic authentication
        "0",
        "+answer",
        "Hx-say",
        &authority,
        "0",
        "+POST",
        "~",
        "0",
        "+/x?y=1",
        "Q",
        "O",
        "+body",
        "C",
        ".",
        ">",
        "0",
        "+\"",
        "<",
        "+\"", // a request
    ];
    let (report, recording) = record_script(&world, &lines).await;
    assert_eq!(told(&report), "\"200answer\"");
    let recording = read(&recording);
    let words: Vec<&str> = recording.calls.iter().map(|call| call.asked.word()).collect();
    for word in ["kv.get", "kv.compare-and-set", "artifacts.read", "secrets.hmac-sha256", "http.request"] {
        assert!(words.contains(&word), "{words:?}");
    }
    assert!(recording.ended.is_same_as(&Ended::of(&report.outcome)));
    assert_eq!(ended(replay_script(recording).await).outcome, report.outcome);
    assert_eq!(server.seen().len(), 1, "the replay did not reach it");
}

#[tokio::test]
async fn failures_and_denials_are_told_again() {
    let world = world();
    let closed = "A0127.0.0.1:1";
    *world.gate.decide.lock().unwrap() = Box::new(|call| call.port == 1);
    for lines in [
        &["Gbusy"][..],                          // a value that cannot be read now
        &["rnothing"],                           // an artifact that is not there
        &["pOTHER"],                             // a secret that is not declared
        &[closed, "+/", "Q", ">", "<"],          // nobody listens
        &["A0127.0.0.1:2", "+/", "Q", ">", "<"], // the policies refuse it
        &["+gone", "EPlugin"],                   // the plugin's own failure
        &["+boom", "Xsrc/lib.rs:1:1"],           // a panic
    ] {
        let (report, recording) = record_script(&world, lines).await;
        let again = ended(replay_script(read(&recording)).await);
        assert!(
            Ended::of(&again.outcome).is_same_as(&Ended::of(&report.outcome)),
            "{lines:?}: {}",
            told(&again)
        );
    }
}

/// A number made of both clocks, of random bytes, and of the seed of hash maps.
fn chance() -> Vec<u8> {
    let imports = r#"
        (import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
        (import "wasi:clocks/wall-clock@0.2.12" "now" (func $wall (param i32)))
        (import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))
        (import "wasi:random/insecure-seed@0.2.12" "insecure-seed" (func $seed (param i32)))"#;
    let run = "(local $v i64)
        (call $seed (i32.const 3000))
        (call $wall (i32.const 3016))
        (local.set $v (i64.xor (call $now) (call $random)))
        (local.set $v (i64.xor (local.get $v) (i64.load (i32.const 3000))))
        (local.set $v (i64.xor (local.get $v) (i64.load (i32.const 3008))))
        (local.set $v (i64.xor (local.get $v) (i64.load (i32.const 3016))))
        (local.set $v (i64.xor (local.get $v) (i64.load32_u (i32.const 3024))))
        (local.set $v (i64.shr_u (local.get $v) (i64.const 2)))
        (local.set $i (i32.const 3100))
        (loop $more
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (i32.store8 (local.get $i)
                (i32.wrap_i64 (i64.add (i64.const 48) (i64.rem_u (local.get $v) (i64.const 10)))))
            (local.set $v (i64.div_u (local.get $v) (i64.const 10)))
            (br_if $more (i64.ne (local.get $v) (i64.const 0))))
        (call $ok (local.get $i) (i32.sub (i32.const 3100) (local.get $i)))";
    guests::guest(imports, run)
}

#[tokio::test]
async fn clocks_chance_and_the_seed_of_hash_maps_are_told_again() {
    let world = World::new();
    let grant = Grant { capabilities: vec![Capability::Clock, Capability::Random], ..Grant::default() };
    let digest = world.store(&chance());
    let mut results = Vec::new();
    for _ in 0..2 {
        let (report, recording) = record(&world, attempt(&digest, grant.clone(), "{}")).await;
        for _ in 0..2 {
            let again = ended(replay(&chance(), grant.clone(), read(&recording)).await);
            assert_eq!(again.outcome, report.outcome);
        }
        results.push(told(&report));
    }
    assert_ne!(results[0], results[1], "what is drawn anew is another one");
}

#[tokio::test]
async fn another_call_stops_the_replay_and_says_where() {
    let world = world();
    let (_, recording) = record_script(&world, &["Gone", "Gtwo", "+1"]).await;
    let with = |lines: &[&str]| {
        let mut changed = read(&recording);
        changed.inputs.parameters = lines.join("\n");
        changed
    };
    let differs = stopped(replay_script(with(&["Gone", "Gthree", "+1"])).await);
    let told = "call 2 differs from the recorded one: expected kv.get \"two\", got kv.get \"three\"; /key: expected \"two\", \
                got \"three\"";
    assert_eq!(differs, told);
    let differs = stopped(replay_script(with(&["Gone", "Gtwo", "Gtwo"])).await);
    assert!(
        differs.starts_with("call 3 is not in the recording, whose attempt had made its last call before"),
        "{differs}"
    );
    let fewer = ended(replay_script(with(&["Gone", "0", "+7"])).await);
    assert_eq!(self::told(&fewer), "7", "what asks less goes through");
}

#[tokio::test]
async fn another_body_of_a_request_stops_the_replay() {
    let server = Recorder::start().await;
    let (world, authority) = (world(), server.authority());
    let request = |body: &str| {
        [&authority, "+POST", "~", "0", "+/x", "Q", "O", body, "C", ".", ">", "0", "+\"", "<", "+\""]
            .join("\n")
    };
    let digest = world.store(&script());
    let (_, recording) =
        record(&world, attempt(&digest, everything(&["*"], &[Header]), &request("+body"))).await;
    let mut changed = read(&recording);
    changed.inputs.parameters = request("+bodies");
    let differs = stopped(replay_script(changed).await);
    assert!(differs.contains("the body at byte 3: expected \"body\", got \"bodies\""), "{differs}");
}

#[tokio::test]
async fn no_value_of_a_secret_is_in_a_recording() {
    let server = Recorder::start().await;
    let world = World::new();
    world.secrets.keep("TOKEN", "canary-8461", &["*"]);
    let authority = server.authority();
    let lines = [
        "pTOKEN",
        "Hx-say",
        "0",
        &authority,
        "+/",
        "Q",
        ">",
        "0",
        "<",
        "l", // the server gives the value back
        "0",
        "vTOKEN",
        "skey",
        "0",
        "Gkey",
        "wtext/plain",
        "W",
        "Fcopy",
        "0",
        "rcopy",
        "i5",
        "i3",
        "I", // and so does the guest
        "0",
        "vTOKEN",
        "Epermanent",
    ];
    let (report, bytes) = record_script(&world, &lines).await;
    assert_eq!(server.only().header("x-say"), Some("canary-8461"));
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("canary") && !text.contains("8461"), "{text}");
    assert!(text.contains("[secret TOKEN]"));
    // What stands for the value goes the same way, as long as the guest does not count its letters.
    assert!(matches!(report.outcome, quantum_core::port::AttemptOutcome::Failed(_)));
}

#[tokio::test]
async fn a_recording_is_bounded_and_says_where_it_was_cut() {
    let world = world();
    let mut lines = vec!["wtext/plain"];
    for _ in 0..10 {
        lines.push("+x");
        lines.extend(["2"; 19]);
        lines.push("W");
    }
    lines.extend(["Flarge", "0", "+1"]);
    let (report, recording) = record_script(&world, &lines).await;
    assert_eq!(told(&report), "1");
    assert!(recording.len() < 6 * 1024 * 1024, "{}", recording.len());
    let recording = read(&recording);
    let cut = recording.cut.unwrap();
    assert_eq!(cut.calls, recording.calls.len() as u64);
    let Replayed::Stopped(difference) = replay_script(recording).await else { panic!("it cannot go on") };
    assert_eq!(difference.after as u64, cut.calls);
    assert!(matches!(difference.why, Why::Cut { .. }), "{difference}");
}

#[tokio::test]
async fn an_attempt_that_waited_until_its_time_was_over_does_so_again_at_once() {
    let world = world();
    let digest = world.store(&script());
    let mut hanging = attempt(&digest, everything(&["*"], &[Header]), "Ghang");
    hanging.timeout_ms = 1_000;
    world.sandbox.prepare(&digest).await.unwrap();
    let (report, recording) = record(&world, hanging).await;
    let again = ended(replay_script(read(&recording)).await);
    assert_eq!(again.outcome, report.outcome);
}

#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_its_recording() {
    let world = world();
    let digest = world.store(&script());
    let mut hanging = attempt(&digest, everything(&["*"], &[Header]), "Ghang");
    hanging.recording = RecordingSlot::wished();
    let slot = hanging.recording.clone();
    let open = world.values.open.clone();
    let mut run = world.sandbox.run(hanging);
    while open.count() == 0 {
        tokio::select! { biased; _ = &mut run => panic!("it hangs"), () = tokio::task::yield_now() => {} }
    }
    drop(run);
    let recording = read(&slot.take().unwrap()().unwrap());
    assert_eq!((recording.ended, recording.calls.len()), (Ended::Interrupted, 1));
}

#[tokio::test]
async fn what_nobody_wishes_for_is_not_recorded() {
    let world = world();
    let digest = world.store(&script());
    let plain = attempt(&digest, everything(&["*"], &[Header]), "+1");
    let slot = plain.recording.clone();
    assert_eq!(told(&world.sandbox.run(plain).await), "1");
    assert!(slot.take().is_none());
}
