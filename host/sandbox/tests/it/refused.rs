//! What no plugin gets, whatever it is granted: 64-bit memories, threads, files, sockets, names.

use quantum_core::port::AttemptOutcome;
use quantum_sandbox::Error;
use serde_json::json;

use crate::guests::{component, echo, module};
use crate::heavy::heavier;
use crate::world::World;

/// A guest that imports what Python imports.
const WORLD: &str = "
    package test:guest;
    world guest {
        include quantum:plugin/plugin@1.0.0;
        import wasi:filesystem/preopens@0.2.12;
        import wasi:sockets/instance-network@0.2.12;
        import wasi:sockets/ip-name-lookup@0.2.12;
        import wasi:sockets/tcp-create-socket@0.2.12;
        import wasi:sockets/udp-create-socket@0.2.12;
    }
";

/// Of `wasi:sockets/network`'s `error-code`.
const ACCESS_DENIED: u64 = 1;
const PERMANENT_RESOLVER_FAILURE: u64 = 20;

/// The result is 100 and what the call left in memory.
async fn told(imports: &str, run: &str) -> AttemptOutcome {
    let run =
        format!("{run} (call $ok (call $digits (i32.add (i32.const 100) (local.get $n))) (i32.const 3))");
    World::new().run(&component(WORLD, &module(imports, &run)), "{}").await.outcome
}

#[tokio::test]
async fn sockets_are_refused() {
    // 10 for an error, and which one.
    let code = "(local.set $n (i32.add (i32.mul (i32.const 10) (i32.load8_u (i32.const 4096)))
                    (i32.load8_u (i32.const 4100))))";
    for (kind, family) in [("tcp", 0), ("tcp", 1), ("udp", 0), ("udp", 1)] {
        let import = format!(
            r#"(import "wasi:sockets/{kind}-create-socket@0.2.12" "create-{kind}-socket"
                (func $create (param i32 i32)))"#
        );
        let run = format!("(call $create (i32.const {family}) (i32.const 4096)) {code}");
        assert_eq!(
            told(&import, &run).await,
            AttemptOutcome::Completed(json!(110 + ACCESS_DENIED)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn names_are_not_looked_up() {
    let imports = r#"
        (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
        (import "wasi:sockets/ip-name-lookup@0.2.12" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))"#;
    let run = "(i32.store (i32.const 2048) (i32.const 0x313a3a))
               (call $resolve (call $network) (i32.const 2048) (i32.const 3) (i32.const 4096))
               (local.set $n (i32.add (i32.mul (i32.const 10) (i32.load8_u (i32.const 4096)))
                   (i32.load8_u (i32.const 4100))))";
    // The name is `::1`: whoever may look up names gets the address back, and nobody is asked.
    assert_eq!(told(imports, run).await, AttemptOutcome::Completed(json!(110 + PERMANENT_RESOLVER_FAILURE)));
}

#[tokio::test]
async fn there_is_no_directory() {
    let import =
        r#"(import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))"#;
    let run = "(call $directories (i32.const 4096)) (local.set $n (i32.load (i32.const 4100)))";
    assert_eq!(told(import, run).await, AttemptOutcome::Completed(json!(100)));
}

#[tokio::test]
async fn memories_of_64_bits_and_shared_ones_are_not_compiled() {
    for (memory, reason) in [
        ("(module (memory i64 1))", "memory64 must be enabled"),
        ("(module (memory 1 1 shared))", "threads must be enabled"),
    ] {
        let installed = World::new().sandbox.install(heavier(&echo(), memory, 1)).await;
        let Err(Error::Compile { reason: told }) = installed else { panic!("{memory}: {installed:?}") };
        assert!(told.contains(reason), "{told}");
    }
}
