//! What is called: the packed plugin `hello`, or a small component in its place.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Folders of the target folder beside which packed plugins lie: of a release build, a debug build, or none.
const BUILDS: [&str; 3] = ["release", "debug", ""];

/// `run` answers `ok` with its parameters. Text comes in at growing addresses; the answer lies at 16.
const ECHO: &str = r#"(module
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $free)
        (global.set $free (i32.add (global.get $free) (local.get 3))))
    (func (export "quantum:plugin/actions@1.0.0#run") (param i32 i32) (param $text i32) (param $bytes i32) (result i32)
        (i32.store (i32.const 24) (local.get $text))
        (i32.store (i32.const 28) (local.get $bytes))
        (i32.const 16)))"#;

const WORLD: &str = "package bench:guest; world guest { export quantum:plugin/actions@1.0.0; }";

pub struct Component {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

pub fn load() -> Component {
    match packed("plugins/hello.wasm") {
        Some(bytes) => Component { name: "hello", bytes },
        None => Component { name: "echo", bytes: echo() },
    }
}

/// A packed plugin; none: it was not built.
pub fn packed(file: &str) -> Option<Vec<u8>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder is in the target folder");
    BUILDS.iter().find_map(|build| std::fs::read(target.join(build).join(file)).ok())
}

fn echo() -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).expect("the contract is there");
    let package = resolve.push_str("guest.wit", WORLD).expect("the world is well written");
    let world = resolve.select_world(&[package], Some("guest")).expect("it has that name");
    let mut module = wat::parse_str(ECHO).expect("the module is well written");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("the module is well made");
    let encoded = ComponentEncoder::default().module(&module).and_then(|encoder| encoder.encode());
    encoded.expect("the module fits its world")
}
