//! Components that do not fit this host: the report names all of it.

use quantum_core::port::FailureKind;
use quantum_sandbox::Error;

use crate::guests::{component, echo, foreign, module};
use crate::world::{World, failure};

async fn report(bytes: Vec<u8>) -> String {
    match World::new().sandbox.check(bytes, None).await {
        Err(Error::DoesNotFit(report)) => report.to_string(),
        other => panic!("it has no report: {other:?}"),
    }
}

#[tokio::test]
async fn a_plain_component_fits() {
    World::new().sandbox.check(echo(), None).await.unwrap();
}

const QUEUE: &str = "
    package test:guest;
    world guest {
        import acme:queue/queue@1.0.0;
        export quantum:plugin/actions@1.0.0;
    }
    package acme:queue@1.0.0 { interface queue { pop: func(); } }
";

#[tokio::test]
async fn an_import_that_is_not_provided_is_named() {
    let import = r#"(import "acme:queue/queue@1.0.0" "pop" (func $pop))"#;
    let queue = component(QUEUE, &module(import, "(call $pop) (call $ok (i32.const 1040) (i32.const 6))"));
    let missing = "imports that this host does not provide:\n  acme:queue/queue@1.0.0";
    assert_eq!(report(queue.clone()).await, missing);

    let world = World::new();
    let refused = world.sandbox.install(queue.clone()).await.unwrap_err().to_string();
    assert_eq!(refused, format!("fit the component to this host\n{missing}"));
    let failure = failure(world.run(&queue, "{}").await);
    assert_eq!(
        (failure.kind, failure.problem.code.as_str()),
        (FailureKind::Unavailable, "plugin-unavailable")
    );
    assert!(failure.problem.message.starts_with("failed to fit the component to this host"), "{failure:?}");
    world.is_well().await;
}

/// All interfaces that a plugin may import; and one with another type.
#[tokio::test]
async fn every_package_of_the_contract_is_provided() {
    World::new().sandbox.check(crate::script::script(), None).await.unwrap();
    let packages = "
        package test:guest;
        world guest { import quantum:kv/kv@1.0.0; export quantum:plugin/actions@1.0.0; }
        package quantum:kv@1.0.0 { interface kv { get: func(key: string) -> string; } }
        package quantum:plugin@1.0.0 { interface actions { run: func(action: string) -> string; } }
    ";
    let module = r#"(module
        (import "quantum:kv/kv@1.0.0" "get" (func $get (param i32 i32 i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32) (result i32)
            (call $get (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 0)))"#;
    let differs = "types that differ:\n  quantum:kv/kv@1.0.0: get\n  quantum:plugin/actions@1.0.0: run";
    assert_eq!(report(foreign(packages, module)).await, differs);
}

#[tokio::test]
async fn a_component_without_actions_is_told_what_to_export() {
    let world = "package test:guest; world guest { export quantum:plugin/describe@1.0.0; }";
    let module = module("", "(i32.const 0)").replace(
        "quantum:plugin/actions@1.0.0#run\")",
        "quantum:plugin/describe@1.0.0#manifest\") (result i32) (call $ok (i32.const 0) (i32.const 0)))
         (func",
    );
    let missing = "exports that are missing:\n  quantum:plugin/actions@1.0.0 (it exports quantum:plugin/describe@1.0.0)";
    assert_eq!(report(component(world, &module)).await, missing);
}

/// Another `quantum:log`, with a function that this host has with another type, and one that it does not have.
const OTHER_LOG: &str = "
    package test:guest;
    world guest {
        import quantum:log/log@1.0.0;
        export quantum:plugin/actions@1.0.0;
    }
    package quantum:log@1.0.0 {
        interface log {
            progress: func(percent: u32, message: string);
            panicked: func(message: string, place: string);
            erase: func();
        }
    }
    package quantum:plugin@1.0.0 {
        interface actions { run: func(action: string) -> string; }
    }
";

#[tokio::test]
async fn all_three_parts_are_reported_at_once() {
    let module = r#"(module
        (import "quantum:log/log@1.0.0" "progress" (func $progress (param i32 i32 i32)))
        (import "quantum:log/log@1.0.0" "panicked" (func $panicked (param i32 i32 i32 i32)))
        (import "quantum:log/log@1.0.0" "erase" (func $erase))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32) (result i32)
            (call $erase)
            (call $progress (i32.const 0) (i32.const 0) (i32.const 0))
            (call $panicked (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.const 0)))"#;
    let expected = "imports that this host does not provide:\n  quantum:log/log@1.0.0: erase\n\
                    types that differ:\n  quantum:log/log@1.0.0: progress\n  quantum:plugin/actions@1.0.0: run";
    assert_eq!(report(foreign(OTHER_LOG, module)).await, expected);
}

#[tokio::test]
async fn an_export_of_another_type_is_found_before_anything_runs() {
    let packages = "
        package test:guest;
        world guest { export quantum:plugin/actions@1.0.0; }
        package quantum:plugin@1.0.0 { interface actions { run: func(action: string) -> string; } }
    ";
    let module = r#"(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32) (result i32) (i32.const 0)))"#;
    assert_eq!(
        report(foreign(packages, module)).await,
        "types that differ:\n  quantum:plugin/actions@1.0.0: run"
    );
}

#[tokio::test]
async fn bytes_that_are_no_component_are_refused() {
    let sandbox = World::new().sandbox;
    let error = sandbox.check(b"no component".to_vec(), None).await.unwrap_err().to_string();
    assert!(error.starts_with("compile the component: "), "{error}");
    let threads = wat::parse_str("(component (core module (memory 1 1 shared)))").unwrap();
    let error = sandbox.check(threads, None).await.unwrap_err().to_string();
    assert!(error.contains("threads must be enabled for shared memories"), "{error}");
}

#[tokio::test]
async fn an_oversize_component_is_not_compiled() {
    let options = quantum_sandbox::SandboxOptions { component_bytes_max: 100, ..crate::world::options() };
    let error = World::with(options).sandbox.check(vec![0; 101], None).await.unwrap_err().to_string();
    let expected =
        "take in a component of 101 bytes: at most 100 are compiled; build it with opt-level \"s\" and lto";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_describing_build_tells_its_manifest() {
    let world = "package test:guest; world guest {
        export quantum:plugin/actions@1.0.0; export quantum:plugin/describe@1.0.0; }";
    let describe = "(func (export \"quantum:plugin/describe@1.0.0#manifest\") (result i32)
        (i32.store (i32.const 4096) (i32.const 1136)) (i32.store (i32.const 4100) (i32.const 8)) (i32.const 4096))
        (func $inner";
    let module = module("", "(unreachable)").replace("(func $inner", describe);
    let sandbox = World::new().sandbox;
    assert_eq!(sandbox.describe(component(world, &module)).await.unwrap(), r#"{"at":1}"#);
    let error = sandbox.describe(echo()).await.unwrap_err().to_string();
    assert!(error.starts_with("ask the component for its manifest: "), "{error}");
}

/// Two components that hand a text to each other, as those of JavaScript are made. The code between them reads two
/// memories.
const COMPOSED: &str = r#"(component
    (component $inner
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "take") (param i32 i32)))
        (core instance $i (instantiate $m))
        (alias core export $i "memory" (core memory $memory))
        (alias core export $i "realloc" (core func $realloc))
        (func (export "take") (param "text" string)
            (canon lift (core func $i "take") (memory $memory) (realloc $realloc))))
    (component $outer
        (import "take" (func $take (param "text" string)))
        (core module $m (memory (export "memory") 1))
        (core instance $i (instantiate $m))
        (alias core export $i "memory" (core memory $memory))
        (core func $lowered (canon lower (func $take) (memory $memory)))
        (core module $n
            (import "host" "take" (func $take (param i32 i32)))
            (func (export "go") (call $take (i32.const 0) (i32.const 8))))
        (core instance $host (export "take" (func $lowered)))
        (core instance $j (instantiate $n (with "host" (instance $host))))
        (func (export "go") (canon lift (core func $j "go"))))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $outer (with "take" (func $a "take"))))
    (export "go" (func $b "go")))"#;

#[tokio::test]
async fn a_component_may_be_made_of_others() {
    // It compiles; all that it lacks is the entry.
    let report = report(wat::parse_str(COMPOSED).unwrap()).await;
    assert!(report.starts_with("exports that are missing:\n  quantum:plugin/actions@1.0.0"), "{report}");
}
