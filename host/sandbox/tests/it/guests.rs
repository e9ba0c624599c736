//! Small components, made from core modules in text, in the world that `wit/` describes.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Everything that a guest of these tests may import; the encoder keeps what the module uses.
pub const WORLD: &str = "
    package test:guest;
    world guest {
        include quantum:plugin/plugin@1.0.0;
        import wasi:cli/exit@0.2.12;
        import wasi:cli/stdout@0.2.12;
        import wasi:random/random@0.2.12;
        import wasi:random/insecure-seed@0.2.12;
    }
";

/// The core module around `run`: memory, allocation, and ways to return. `$text` and `$text_len` are the parameters.
pub fn module(imports: &str, run: &str) -> String {
    format!(
        r#"(module {imports}
        (memory (export "memory") 2)
        (table $table 1 funcref)
        (global $heap (mut i32) (i32.const 65536))
        (data (i32.const 1024) "{{nope")
        (data (i32.const 1040) "\"done\"")
        (data (i32.const 1056) "boom")
        (data (i32.const 1072) "src/lib.rs:3:5")
        (data (i32.const 1088) "http")
        (data (i32.const 1104) "/x")
        (data (i32.const 1120) "line\n")
        (data (i32.const 1136) "{{\"at\":1}}")
        (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
            (global.set $heap (i32.add (local.get $at) (local.get 3)))
            (block $fits
                (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
                (drop (memory.grow (i32.const 64))))
            (local.get $at))
        (func $ok (param $at i32) (param $len i32) (result i32)
            (i32.store (i32.const 8192) (i32.const 0))
            (i32.store (i32.const 8200) (local.get $at))
            (i32.store (i32.const 8204) (local.get $len))
            (i32.const 8192))
        (func $failed (param $kind i32) (param $at i32) (param $len i32) (result i32)
            (i32.store (i32.const 8192) (i32.const 1))
            (i32.store (i32.const 8200) (local.get $kind))
            (i32.store (i32.const 8208) (i32.const 1088))
            (i32.store (i32.const 8212) (i32.const 4))
            (i32.store (i32.const 8216) (local.get $at))
            (i32.store (i32.const 8220) (local.get $len))
            (i32.store (i32.const 8224) (i32.const 1))
            (i32.store (i32.const 8228) (i32.const 1136))
            (i32.store (i32.const 8232) (i32.const 8))
            (i32.store (i32.const 8240) (i32.const 1))
            (i64.store (i32.const 8248) (i64.const 1500))
            (i32.const 8192))
        (func $digits (param $n i32) (result i32)
            (i32.store8 (i32.const 2048) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 100))))
            (i32.store8 (i32.const 2049)
                (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
            (i32.store8 (i32.const 2050) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
            (i32.const 2048))
        (func $deeper (param i32) (result i32)
            (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
        (func $inner (unreachable))
        (func $run (export "quantum:plugin/actions@1.0.0#run")
            (param $action i32) (param $action_len i32) (param $text i32) (param $text_len i32) (result i32)
            (local $i i32) (local $n i32)
            {run}))"#
    )
}

/// A component whose `run` is this body.
pub fn guest(imports: &str, run: &str) -> Vec<u8> {
    component(WORLD, &module(imports, run))
}

/// Gives its parameters back.
pub fn echo() -> Vec<u8> {
    guest("", "(call $ok (local.get $text) (local.get $text_len))")
}

/// Parameters: `0` (http) or `1` (https) and the authority. Reads the answer to its end; the result is its status. An
/// error code `n` of wasi:http is the permanent failure with the message `n` in three digits.
pub fn http() -> Vec<u8> {
    guest(HTTP_IMPORTS, HTTP_RUN)
}

const HTTP_IMPORTS: &str = r#"
    (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
        (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
        (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
        (func $path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe"
        (func $subscribe (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-response.status" (func $status (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-response.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]incoming-body.stream" (func $stream (param i32 i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
"#;

const HTTP_RUN: &str = r#"
    (local $request i32) (local $future i32) (local $response i32) (local $stream i32)
    (local.set $request (call $request (call $fields)))
    (drop (call $scheme (local.get $request) (i32.const 1)
        (i32.sub (i32.load8_u (local.get $text)) (i32.const 48)) (i32.const 0) (i32.const 0)))
    (drop (call $authority (local.get $request) (i32.const 1)
        (i32.add (local.get $text) (i32.const 1)) (i32.sub (local.get $text_len) (i32.const 1))))
    (drop (call $path (local.get $request) (i32.const 1) (i32.const 1104) (i32.const 2)))
    (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 4096))
    (if (i32.load8_u (i32.const 4096)) (then
        (return (call $failed (i32.const 0) (call $digits (i32.load8_u (i32.const 4104))) (i32.const 3)))))
    (local.set $future (i32.load (i32.const 4104)))
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 4096))
    (if (i32.load8_u (i32.const 4112)) (then
        (return (call $failed (i32.const 0) (call $digits (i32.load8_u (i32.const 4120))) (i32.const 3)))))
    (local.set $response (i32.load (i32.const 4120)))
    (call $consume (local.get $response) (i32.const 4096))
    (call $stream (i32.load (i32.const 4100)) (i32.const 4096))
    (local.set $stream (i32.load (i32.const 4100)))
    (block $end (loop $more
        (global.set $heap (i32.const 65536))
        (call $read (local.get $stream) (i64.const 65536) (i32.const 4096))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 4096))))))
    (if (i32.eqz (i32.load8_u (i32.const 4100))) (then
        (return (call $failed (i32.const 0) (call $digits (i32.const 999)) (i32.const 3)))))
    (call $ok (call $digits (call $status (local.get $response))) (i32.const 3))
"#;

/// A component of this core module in this world, beside the packages of `wit/`.
pub fn component(world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    encode(resolve, world, module)
}

/// The same without the packages of `wit/`.
pub fn foreign(packages: &str, module: &str) -> Vec<u8> {
    encode(Resolve::default(), packages, module)
}

fn encode(mut resolve: Resolve, world: &str, module: &str) -> Vec<u8> {
    let package = resolve.push_str("guest.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
