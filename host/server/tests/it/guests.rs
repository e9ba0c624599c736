//! Components that mean harm, made from core modules in text, and packed as plugins.

use quantum_core::manifest::Manifest;
use quantum_marketplace::append_manifest;
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Everything that a guest of these tests may import; the encoder keeps what the module uses.
pub const WORLD: &str = "
    package test:guest;
    world guest { include quantum:plugin/plugin@1.0.0; }
";

/// A component whose `run` has this body. `$ok` returns a text of the memory as the result.
pub fn guest(imports: &str, run: &str) -> Vec<u8> {
    guest_of(WORLD, imports, run)
}

/// The same in another world, called `guest`.
pub fn guest_of(world: &str, imports: &str, run: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {imports}
        (memory (export "memory") 2)
        (global $heap (mut i32) (i32.const 65536))
        (data (i32.const 1024) "{{nope")
        (data (i32.const 1040) "\"done\"")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
            (global.set $heap (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func $ok (param $at i32) (param $bytes i32) (result i32)
            (i32.store (i32.const 8192) (i32.const 0))
            (i32.store (i32.const 8200) (local.get $at))
            (i32.store (i32.const 8204) (local.get $bytes))
            (i32.const 8192))
        (func $run (export "quantum:plugin/actions@1.0.0#run") (param i32 i32 i32 i32) (result i32)
            {run}))"#
    );
    encode(world, &module)
}

/// The component of a core module in text, in this world, called `guest`.
pub fn encode(world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let package = resolve.push_str("guest.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// A guest that returns `"done"`.
pub fn done() -> Vec<u8> {
    guest("", "(call $ok (i32.const 1040) (i32.const 6))")
}

/// The manifest of a plugin `test:NAME` with one action NAME.
pub fn manifest(name: &str) -> Value {
    json!({
        "manifest_version": 1,
        "id": format!("test:{name}"),
        "version": "1.0.0",
        "actions": [{ "name": name, "parameters": { "type": "object" }, "result": true }],
    })
}

pub fn pack(component: &[u8], manifest: &Value) -> Vec<u8> {
    let manifest: Manifest = serde_json::from_value(manifest.clone()).unwrap();
    append_manifest(component, &manifest).unwrap()
}
