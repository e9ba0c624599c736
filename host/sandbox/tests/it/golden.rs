//! Components built against version 1.0.0 of each of our packages. Their bytes are kept as they were built: every later
//! host runs them. The sources below say what is in them, and are built only for files that are not there yet.

use std::path::PathBuf;

use quantum_core::manifest::SecretPlace::Header;
use quantum_core::port::AttemptOutcome;
use serde_json::{Value, json};

use crate::guests::{component, guest, module};
use crate::script::everything;
use crate::world::{World, digest_of};

/// Bytes of one file.
const BYTES_MAX: usize = 20_000;

struct Golden {
    name: &'static str,
    /// SHA-256 of the file, so that nobody builds it anew by accident.
    sha256: &'static str,
    imports: &'static str,
    /// The body of `run`.
    run: &'static str,
}

impl Golden {
    fn path(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{}-1.0.0.wasm", self.name))
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }

    fn build(&self) -> Vec<u8> {
        if self.name != "quantum-plugin" {
            return guest(self.imports, self.run);
        }
        let describe = "(func (export \"quantum:plugin/describe@1.0.0#manifest\") (result i32)
            (i32.store (i32.const 4096) (i32.const 1136)) (i32.store (i32.const 4100) (i32.const 8))
            (i32.const 4096))
            (func $inner";
        let world = "package test:guest; world guest {
            export quantum:plugin/actions@1.0.0; export quantum:plugin/describe@1.0.0; }";
        component(world, &module(self.imports, self.run).replace("(func $inner", describe))
    }
}

/// Its parameters, as a result and as a manifest.
const PLUGIN: Golden = Golden {
    name: "quantum-plugin",
    sha256: "ff2dba423a79fe976032e5d4423363154afd24436a866969852faf34415a9b5a",
    imports: "",
    run: "(call $ok (local.get $text) (local.get $text_len))",
};

/// Everything that the context tells; the result is the configuration.
const CONTEXT: Golden = Golden {
    name: "quantum-context",
    sha256: "c3e30b5f48dcece1893fa3d9ae3924457db50e24e6150c42ea950e9f289c3cfe",
    imports: r#"
        (import "quantum:context/context@1.0.0" "execution" (func $execution (param i32)))
        (import "quantum:context/context@1.0.0" "step" (func $step (param i32)))
        (import "quantum:context/context@1.0.0" "attempt" (func $attempt (result i32)))
        (import "quantum:context/context@1.0.0" "idempotency-key" (func $key (param i32)))
        (import "quantum:context/context@1.0.0" "deadline" (func $deadline (param i32)))
        (import "quantum:context/context@1.0.0" "dry-run" (func $dry_run (result i32)))
        (import "quantum:context/context@1.0.0" "trace-parent" (func $trace (param i32)))
        (import "quantum:context/context@1.0.0" "cancelled" (func $cancelled (result i32)))
        (import "quantum:context/context@1.0.0" "config" (func $config (param i32)))"#,
    run: "
        (call $execution (i32.const 4096)) (call $step (i32.const 4096)) (drop (call $attempt))
        (call $key (i32.const 4096)) (call $deadline (i32.const 4096)) (drop (call $dry_run))
        (call $trace (i32.const 4096)) (drop (call $cancelled)) (call $config (i32.const 4096))
        (call $ok (i32.load (i32.const 4096)) (i32.load (i32.const 4100)))",
};

const LOG: Golden = Golden {
    name: "quantum-log",
    sha256: "66fa3e8b73409fe9c0f2fd21d1a4fffa4508dc5a21094f597d8b1a51e996c2d1",
    imports: r#"
        (import "quantum:log/log@1.0.0" "write" (func $write (param i32 i32 i32 i32 i32)))
        (import "quantum:log/log@1.0.0" "progress" (func $progress (param i32 i32 i32)))
        (import "quantum:log/log@1.0.0" "panicked" (func $panicked (param i32 i32 i32 i32)))"#,
    run: "
        (call $write (i32.const 4) (i32.const 1056) (i32.const 4) (i32.const 0) (i32.const 0))
        (call $progress (i32.const 10) (i32.const 1056) (i32.const 4))
        (call $panicked (i32.const 1056) (i32.const 4) (i32.const 1072) (i32.const 14))
        (call $ok (i32.const 1040) (i32.const 6))",
};

/// Sets the key `http` to `{\"at\":1}`, compares and sets it, reads and deletes it; the result is what was read.
const KV: Golden = Golden {
    name: "quantum-kv",
    sha256: "cacddfd2376644a220baff07006f1a4665564b6cf7643792ad36fb70fbe8147b",
    imports: r#"
        (import "quantum:kv/kv@1.0.0" "get" (func $get (param i32 i32 i32)))
        (import "quantum:kv/kv@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32 i64 i32)))
        (import "quantum:kv/kv@1.0.0" "compare-and-set"
            (func $compare (param i32 i32 i32 i64 i32 i32 i32 i64 i32)))
        (import "quantum:kv/kv@1.0.0" "delete" (func $delete (param i32 i32 i32)))"#,
    run: "
        (call $set (i32.const 1088) (i32.const 4) (i32.const 1136) (i32.const 8)
            (i32.const 1) (i64.const 60000) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $compare (i32.const 1088) (i32.const 4) (i32.const 1) (i64.load (i32.const 4104))
            (i32.const 1136) (i32.const 8) (i32.const 0) (i64.const 0) (i32.const 4096))
        (if (i32.or (i32.load8_u (i32.const 4096)) (i32.eqz (i32.load8_u (i32.const 4104)))) (then (unreachable)))
        (call $get (i32.const 1088) (i32.const 4) (i32.const 4096))
        (if (i32.or (i32.load8_u (i32.const 4096)) (i32.eqz (i32.load8_u (i32.const 4104)))) (then (unreachable)))
        (call $delete (i32.const 1088) (i32.const 4) (i32.const 4200))
        (if (i32.load8_u (i32.const 4200)) (then (unreachable)))
        (call $ok (i32.load (i32.const 4112)) (i32.load (i32.const 4116)))",
};

/// Writes `{\"at\":1}` as `http`, finds it, reads it; the result is what was read.
const ARTIFACTS: Golden = Golden {
    name: "quantum-artifacts",
    sha256: "328f3759401c3cc9e96139f6ec63b34d65da13cc8bea1ad3888c6ac79db47b4f",
    imports: r#"
        (import "quantum:artifacts/artifacts@1.0.0" "stat" (func $stat (param i32 i32 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "open" (func $open (param i32 i32 i64 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "create" (func $create (param i32 i32 i32 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "[method]reader.read" (func $read (param i32 i32 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "[method]writer.write" (func $write (param i32 i32 i32 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "[method]writer.finish"
            (func $finish (param i32 i32 i32 i32 i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "[resource-drop]reader" (func $drop_reader (param i32)))
        (import "quantum:artifacts/artifacts@1.0.0" "[resource-drop]writer" (func $drop_writer (param i32)))"#,
    run: "
        (call $create (i32.const 1) (i32.const 1056) (i32.const 4) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (local.set $i (i32.load (i32.const 4100)))
        (call $write (local.get $i) (i32.const 1136) (i32.const 8) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $finish (local.get $i) (i32.const 1) (i32.const 1088) (i32.const 4) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $drop_writer (local.get $i))
        (call $stat (i32.const 1088) (i32.const 4) (i32.const 4096))
        (if (i32.or (i32.load8_u (i32.const 4096)) (i32.eqz (i32.load8_u (i32.const 4104)))) (then (unreachable)))
        (call $open (i32.const 1088) (i32.const 4) (i64.const 0) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (local.set $i (i32.load (i32.const 4100)))
        (call $read (local.get $i) (i32.const 100) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $drop_reader (local.get $i))
        (call $ok (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))",
};

/// The parameters are the name of a secret: used in each way, and shown; the result is the value.
const SECRETS: Golden = Golden {
    name: "quantum-secrets",
    sha256: "19fea95817f883f0b76b12729163559b15fbbf14047e48646b52a9da8c6d3c1e",
    imports: r#"
        (import "quantum:secrets/secrets@1.0.0" "placeholder" (func $placeholder (param i32 i32 i32)))
        (import "quantum:secrets/secrets@1.0.0" "basic" (func $basic (param i32 i32 i32 i32 i32)))
        (import "quantum:secrets/secrets@1.0.0" "hmac-sha256" (func $hmac (param i32 i32 i32 i32 i32)))
        (import "quantum:secrets/reveal@1.0.0" "reveal" (func $reveal (param i32 i32 i32)))"#,
    run: "
        (call $placeholder (local.get $text) (local.get $text_len) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $basic (i32.const 1056) (i32.const 4) (local.get $text) (local.get $text_len) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $hmac (local.get $text) (local.get $text_len) (i32.const 1056) (i32.const 4) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (if (i32.ne (i32.load (i32.const 4104)) (i32.const 32)) (then (unreachable)))
        (call $reveal (local.get $text) (local.get $text_len) (i32.const 4096))
        (if (i32.load8_u (i32.const 4096)) (then (unreachable)))
        (call $ok (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))",
};

const ALL: [Golden; 6] = [PLUGIN, CONTEXT, LOG, KV, ARTIFACTS, SECRETS];

#[test]
fn golden_components_are_small_and_as_they_were_released() {
    for golden in ALL {
        let bytes = golden.bytes();
        assert!(bytes.len() <= BYTES_MAX, "{} has {} bytes", golden.name, bytes.len());
        assert_eq!(digest_of(&bytes).as_str(), format!("sha256:{}", golden.sha256), "{}", golden.name);
    }
}

async fn check(golden: Golden, parameters: &str, result: Value) -> World {
    let bytes = golden.bytes();
    let world = World::new();
    world.secrets.keep("TOKEN", "\"s3cr3t-value\"", &["*"]);
    world.sandbox.check(bytes.clone(), None).await.unwrap();
    let report = world.run_granted(&bytes, everything(&[], &[Header]), parameters).await;
    assert_eq!(report.outcome, AttemptOutcome::Completed(result), "{}", golden.name);
    world
}

#[tokio::test]
async fn a_component_of_each_package_at_1_0_0_runs() {
    let world = check(PLUGIN, "[1]", json!([1])).await;
    assert_eq!(world.sandbox.describe(PLUGIN.bytes()).await.unwrap(), r#"{"at":1}"#);

    check(CONTEXT, "{}", json!({ "colour": "blue" })).await;
    let world = check(LOG, "{}", json!("done")).await;
    assert_eq!(world.log(), ["error boom", "10% boom"]);
    let world = check(KV, "{}", json!({ "at": 1 })).await;
    assert!(world.values.kept.lock().unwrap().is_empty());
    let world = check(ARTIFACTS, "{}", json!({ "at": 1 })).await;
    assert_eq!(world.artifacts.bytes.lock().unwrap()["http"], br#"{"at":1}"#);
    let world = check(SECRETS, "TOKEN", json!("s3cr3t-value")).await;
    let asked = ["use", "use", "use", "reveal"].map(|word| format!("{word} TOKEN development"));
    assert_eq!(*world.gate.asked.lock().unwrap(), asked);
}

#[test]
#[ignore = "writes the golden components that are missing; those that are there are never written again"]
fn missing_golden_components_are_built() {
    for golden in ALL.iter().filter(|golden| !golden.path().exists()) {
        std::fs::create_dir_all(golden.path().parent().unwrap()).unwrap();
        std::fs::write(golden.path(), golden.build()).unwrap();
    }
}
