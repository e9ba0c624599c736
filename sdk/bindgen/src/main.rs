//! Prints one of the files in `sdk/src/bindings/`: the contract as Rust, made from `wit/`. `cargo xtask codegen` runs it.
//!
//! A plugin could have the same made by a macro whenever it is built. Its author would compile this generator first, twice,
//! and that took longer than all the rest.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use wit_bindgen_core::wit_parser::{PackageId, Resolve};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::Opts;

const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// What a build that tells its manifest has beside `plugin`, as a world of its own: the two are merged when they are
/// linked.
const DESCRIBE: &str = "package quantum:sdk; world describe { export quantum:plugin/describe@1.0.0; }";

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_default();
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir(Path::new(CONTRACT))?;
    let text = match file.as_str() {
        "plugin" => bindings(&mut resolve, contract, "plugin", "quantum_sdk::bindings"),
        "describe" => {
            let alone = resolve.push_str("describe.wit", DESCRIBE)?;
            bindings(&mut resolve, alone, "describe", "quantum_sdk::bindings::describing")
        }
        _ => return Err("which file? plugin or describe".into()),
    };
    Ok(std::io::stdout().write_all(&text?)?)
}

fn bindings(
    resolve: &mut Resolve,
    package: PackageId,
    world: &str,
    module: &str,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let id = resolve.select_world(&[package], Some(world))?;
    let options = Opts {
        format: true,
        generate_all: true,
        pub_export_macro: true,
        export_macro_name: Some(format!("export_{world}")),
        default_bindings_module: Some(module.to_owned()),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(resolve, id, &mut files)?;
    let (_, text) = files.iter().next().ok_or("nothing was made")?;
    Ok(text.to_vec())
}
